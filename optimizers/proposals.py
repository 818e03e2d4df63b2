"""What an optimizer asks for where it needs new text: it knows instructions by numbers, and somebody else writes them.

A model that is too small for the work writes nothing that can be used, and each try is paid for. So after `PATIENCE`
refusals in a row only one proposal is asked for at a time, until one can be used again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, runtime_checkable

Kind: TypeAlias = Literal["cross", "mutate", "differ", "reflect"]

PATIENCE = 24


@dataclass(frozen=True)
class Request:
    """One new instruction that is asked for.

    Attributes:
        kind: "cross": from two instructions; "mutate": from one; "differ": from what two differ in, the best one and
            the one to be replaced, in this order; "reflect": from one and the rows on which it fails.
        instructions: Numbers of those that it shall come from.
        candidate: The candidate that it is for: with "reflect", the one that fails.
        rows: With "reflect": numbers of rows, the worst first.
        seed: Of what is drawn; requests of one generation share it.
    """

    kind: Kind
    instructions: tuple[int, ...]
    candidate: tuple[int, ...] = ()
    rows: tuple[int, ...] = ()
    seed: int = 0


Proposer: TypeAlias = Callable[[Sequence[Request]], Sequence[int | None]]
"""Answers the requests of a generation, all in one call: numbers of new instructions, None where there is none that can
be used. The same requests, in the same order and after the same ones, have the same answers."""


@runtime_checkable
class TakesProposals(Protocol):
    """An optimizer of choices whose variable 0 is an instruction, with new categories as they are proposed."""

    def take_proposals(self, proposer: Proposer | None, key: Callable[[tuple[int, ...]], Hashable]) -> None:
        """Go on with this proposer, and ask only one of the choices that have the same key.

        Args:
            proposer: None: there are no new instructions.
            key: Of a choice.
        """
        ...


class Proposals:
    """Asks a proposer, less after many refusals in a row.

    Args:
        proposer: None: there are no proposals.
        refused: Refusals in a row so far.
    """

    def __init__(self, proposer: Proposer | None, refused: int = 0) -> None:
        self.proposer, self.refused = proposer, refused

    def __call__(self, requests: Sequence[Request]) -> list[int | None]:
        """An instruction for each request, None where there is none. What the proposer raises changes nothing here."""
        if self.proposer is None or not requests:
            return [None] * len(requests)
        asked = requests if self.refused < PATIENCE else requests[:1]
        answers = list(self.proposer(asked))
        refused = next((place for place, number in enumerate(reversed(answers)) if number is not None), None)
        self.refused = self.refused + len(answers) if refused is None else refused
        return answers + [None] * (len(requests) - len(asked))
