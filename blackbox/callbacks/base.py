"""The protocol of a callback."""

from dataclasses import dataclass, field

from blackbox.backends import Usage
from blackbox.budget import Budget
from blackbox.evaluation import Evaluation
from blackbox.figures import Figure


@dataclass(frozen=True)
class Progress:
    """How far a search is.

    Attributes:
        evaluations: spent so far, of `budget.evaluations`.
        generation: 0 while the starting prompt is scored.
        block: the block under search, if any.
        train_loss: of the best prompt on the training rows so far; None before the first.
        dev: what the selected prompt is judged by on the dev rows, its metric or its loss; None where there are none.
        elapsed: seconds since the run began, over all its sessions.
        rate: training evaluations a second in this session; 0.0 before the first.
        usage: what the run has cost so far, as `Summary` counts it.
    """

    budget: Budget
    evaluations: int
    generation: int
    block: int | None
    train_loss: float | None
    dev: Figure | None
    elapsed: float
    rate: float
    usage: Usage = field(default_factory=Usage)

    @property
    def seconds_left(self) -> float | None:
        """Time to the end of the budget at the present rate; None before there is a rate."""
        if not self.rate:
            return None
        left = (self.budget.evaluations - self.evaluations) / self.rate
        return left if self.budget.seconds is None else min(left, self.budget.seconds - self.elapsed)


class Callback:
    """Called by the search at four moments; override what is of interest. Must not change what it is given."""

    def on_start(self, progress: Progress) -> None:
        """Before the first evaluation of this session."""

    def on_evaluations(self, evaluations: tuple[Evaluation, ...], progress: Progress) -> None:
        """After each slice of candidates, when its answers stand in the journal."""

    def on_generation(self, progress: Progress) -> None:
        """After each generation, when the checkpoint is written."""

    def on_end(self, progress: Progress, stop_reason: str) -> None:
        """After the last evaluation."""
