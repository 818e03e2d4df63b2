"""The figure that a prompt is shown and judged by on some rows: its metric, or the loss where there is no metric."""

import math
from dataclasses import asdict, dataclass, field
from typing import Protocol

from blackbox.paired import Z_95


class Figure(Protocol):
    """`blackbox.metrics.Measured` is one, `MeanLoss` the other."""

    @property
    def metric(self) -> str:
        """Its name."""

    @property
    def value(self) -> float:
        """The figure itself."""

    @property
    def rows(self) -> int | None:
        """The rows that it is of; None where that is not known."""

    @property
    def interval(self) -> tuple[float, float] | None:
        """The ends of its 95% interval, if it has one."""

    @property
    def unit(self) -> str:
        """What the value is a number of when it is drawn, `scale` times as large."""

    @property
    def scale(self) -> float:
        """See `unit`."""

    @property
    def brief(self) -> str:
        """The value alone, for people to read; `str` has all there is."""

    @property
    def rank(self) -> float:
        """What prompts are ranked by: the lower, the better."""

    def reaches(self, goal: float) -> bool:
        """Whether it is as good as a value or better."""

    def change_from(self, value: float) -> str:
        """How much more or less it is than a value, in words."""

    def to_dict(self) -> dict[str, object]:
        """JSON values."""


@dataclass(frozen=True)
class MeanLoss:
    """The loss on some rows, nats a row."""

    metric: str = field(default="loss", init=False)
    value: float
    rows: int | None = None

    def __str__(self) -> str:
        return f"{self.brief} nats" + ("" if self.rows is None else f" ({self.rows} rows)")

    @property
    def interval(self) -> None:
        return None

    @property
    def unit(self) -> str:
        return "nats"

    @property
    def scale(self) -> float:
        return 1.0

    @property
    def brief(self) -> str:
        return f"{self.value:.4f}"

    @property
    def rank(self) -> float:
        return self.value

    def reaches(self, goal: float) -> bool:
        return self.value <= goal

    def change_from(self, value: float) -> str:
        return f"{abs(self.value - value):.4f} nats {'more' if self.value >= value else 'less'}"

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


def figure_of(measured: Figure | None, loss: float | None, *, rows: int | None = None) -> Figure | None:
    """The metric where there is one, else the loss; None where no row had an answer.

    Args:
        measured: the metric.
        loss: inf or None where no row had an answer.
        rows: those that had one.
    """
    if measured is not None or loss is None or not math.isfinite(loss):
        return measured
    return MeanLoss(loss, rows)


def is_clearly_better(new: Figure, old: Figure) -> bool:
    """The one-standard-error rule (Breiman et al. 1984, Classification and Regression Trees, section 3.4.3).

    Whether the new figure is better by more than one standard error of the difference, which is taken from the 95%
    intervals as if each were of rows of its own; of figures without an interval, whether it is better at all.
    """
    halves = [(high - low) / 2 for low, high in (figure.interval or (0.0, 0.0) for figure in (new, old))]
    return old.rank - new.rank > math.hypot(*halves) / Z_95
