"""What a race found, and what it cost."""

from dataclasses import dataclass
from typing import Literal

Why = Literal["unlikely to lead", "schedule"]


@dataclass(frozen=True)
class Left:
    """A candidate that left: after how many rows, why, and how probable it was that it would lead over all rows."""

    candidate: int
    rows: int
    why: Why
    probability: float


@dataclass(frozen=True)
class SetAside:
    """A candidate that cannot be compared: it has answers to `answered` of the `rows` that it met."""

    candidate: int
    rows: int
    answered: int


@dataclass(frozen=True)
class FreshFigure:
    """The winner's mean loss on rows that no choice has seen, with its 95% interval: unbiased.

    The interval is Wilson's where all losses are 0 or 1, else Student's.
    """

    loss: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True)
class RaceResult:
    """The end of a race; its `__str__` is one line of what it saved.

    Attributes:
        winner: None where no candidate has answers enough: the race is then undecided, not lost.
        ranking: the winner first, then the others that stayed, then those that left, the last to leave first;
            without those set aside.
        rows: rows that each candidate met in the race.
        calls: (candidate, row) pairs that were asked in the race, those asked again included.
        asked_again: how many of `calls` and `fresh_calls` were asked again because they had no answer.
        full_calls: calls of a full evaluation, n_candidates * n_rows.
        left: those that left, in the order in which they did.
        set_aside: those that had too few answers; neither worse nor better than any other.
        finalists: those that were scored on fresh rows, in the order of the race; empty without fresh rows.
        fresh: the winner's figure; None without fresh rows, or where none was answered.
        fresh_calls: calls on fresh rows.
    """

    winner: int | None
    ranking: tuple[int, ...]
    rows: tuple[int, ...]
    calls: int
    asked_again: int
    full_calls: int
    left: tuple[Left, ...]
    set_aside: tuple[SetAside, ...]
    finalists: tuple[int, ...] = ()
    fresh: FreshFigure | None = None
    fresh_calls: int = 0

    @property
    def saved(self) -> float:
        """Share of a full evaluation's calls that the race did without; negative where asking again cost more."""
        return 1 - self.calls / self.full_calls

    def __str__(self) -> str:
        return f"scored {self.calls:,} of {self.full_calls:,} calls, {self.saved:.0%} saved"
