"""What a race found, and what it cost."""

from dataclasses import dataclass


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
        ranking: the winner first, then the others by the mean loss to be expected over all rows; not those set aside.
        probabilities: of those in `ranking`, to lead over all rows.
        rows: rows that each candidate met in the race, without those that it was exempt from.
        calls: (candidate, row) pairs that were asked in the race, those asked again included.
        asked_again: how many of `calls` and `fresh_calls` were asked again because they had no answer.
        full_calls: calls of a full evaluation: all pairs but the exempt ones.
        set_aside: those that had too few answers; neither worse nor better than any other.
        finalists: those that were scored on fresh rows, in the order of the race; empty without fresh rows.
        fresh: the winner's figure; None without fresh rows, or where none was answered.
        fresh_calls: calls on fresh rows.
        ended: the limit of the budget that ended the race before its time; None where none did.
    """

    winner: int | None
    ranking: tuple[int, ...]
    probabilities: tuple[float, ...]
    rows: tuple[int, ...]
    calls: int
    asked_again: int
    full_calls: int
    set_aside: tuple[SetAside, ...]
    finalists: tuple[int, ...] = ()
    fresh: FreshFigure | None = None
    fresh_calls: int = 0
    ended: str | None = None

    @property
    def saved(self) -> float:
        """Share of a full evaluation's calls that the race did without; negative where asking again cost more."""
        return 1 - self.calls / self.full_calls

    def __str__(self) -> str:
        ended = f"; the budget has ended it ({self.ended})" if self.ended else ""
        return f"scored {self.calls:,} of {self.full_calls:,} calls, {self.saved:.0%} saved{ended}"
