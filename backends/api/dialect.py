"""Dialects: how a question becomes the body of a request, and a reply an answer."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal, Protocol

from blackbox.backends.api.answer import Answer, Call
from blackbox.backends.base import Query
from blackbox.backends.prompts import TextPrompt

Choice = Literal["structured_outputs", "grammar"]


@dataclass(frozen=True)
class Features:
    """What an endpoint's model can do, found by asking it once and recorded.

    Attributes:
        path: what is asked: "/chat/completions", "/completions" or "/messages".
        tops: most probable tokens that are told for each token written; 0: no log-probabilities.
        limit: the parameter that bounds the answer's tokens.
        refused: parameters that the endpoint does not take, and that are left out.
        choice: the parameter that constrains an answer to some texts, if one does.
        blanks: tokens of white space that answers begin with.
        overhead: tokens that a prompt has at most besides those of its texts, for each turn.
    """

    path: str
    tops: int = 0
    limit: str = "max_tokens"
    refused: tuple[str, ...] = ()
    choice: Choice | None = None
    blanks: int = 0
    overhead: int = 256

    def without(self, parameter: str) -> "Features":
        """The same for an endpoint that refuses a parameter."""
        return replace(self, refused=(*self.refused, parameter))

    def to_dict(self) -> dict[str, object]:
        """JSON values; `from_dict` makes the features again."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "Features":
        """The features that `to_dict` wrote."""
        parts = dict(values)
        parts["refused"] = tuple(parts["refused"])  # type: ignore[arg-type]
        return cls(**parts)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Wanted:
    """What an answer is to be like.

    Attributes:
        max_tokens: tokens written at most.
        tops: most probable tokens to be told for each; 0 for none.
        choices: texts of which the answer shall be one; empty for any.
        temperature, seed: as of `Writing`.
        stop: texts that end the answer. An endpoint may take only some of them: read the answer up to the first.
    """

    max_tokens: int
    tops: int = 0
    choices: tuple[str, ...] = ()
    temperature: float = 0
    seed: int = 0
    stop: tuple[str, ...] = ()


class Dialect(Protocol):
    """One way to talk to an endpoint; see the module."""

    @property
    def starts(self) -> Sequence[Features]:
        """What to try first, second, ... when an endpoint is probed."""

    @property
    def droppable(self) -> frozenset[str]:
        """Parameters that a question can do without."""

    @property
    def constraints(self) -> Sequence[Choice]:
        """Parameters that may constrain an answer to some texts."""

    @property
    def stop(self) -> str:
        """The parameter with the texts that end an answer."""

    def call(self, prompt: TextPrompt, query: Query, *, features: Features, wanted: Wanted, repeat: int = 0) -> Call:
        """The request that asks a model for what stands in a query's blank."""

    def read(self, call: Call, reply: object, headers: Mapping[str, str]) -> Answer:
        """The answer in a parsed JSON reply to a call.

        Raises:
            GarbageError: it holds none.
        """
