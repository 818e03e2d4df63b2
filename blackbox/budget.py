"""Hard limits of a run: checked before anything is spent, never overspent."""

import math
from dataclasses import dataclass

from blackbox.errors import BudgetError, SettingError
from blackbox.split import Split
from blackbox.task import Task


@dataclass(frozen=True)
class Budget:
    """What a search may spend at most.

    Attributes:
        evaluations: candidates scored on the training rows; a look at the dev rows counts by its share of rows.
        seconds: wall time from the first evaluation to the last scoring of the test rows, over all sessions; loading
            the model does not count, and the starting prompt is scored in any case. None is no limit.
    """

    evaluations: int
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.evaluations < 1:
            raise SettingError(f"evaluations must be at least 1, got {self.evaluations}")
        if self.seconds is not None and not (self.seconds > 0 and math.isfinite(self.seconds)):
            raise SettingError(f"seconds must be positive and finite, got {self.seconds}")

    def check_start(self, needed: int) -> None:
        """Refuse a budget that does not reach the end of the first generation.

        Raises:
            BudgetError: it is smaller than `needed` evaluations.
        """
        if self.evaluations < needed:
            raise BudgetError(
                f"a budget of {self.evaluations} evaluations ends before the first generation is told; the start, one "
                f"generation and its look at the dev rows need {needed}"
            )


def price(split: Split, task: Task) -> int:
    """What scoring a split once counts in the budget: its share of the training rows, rounded up; test rows nothing."""
    return 0 if split is task.test else math.ceil(len(split) / len(task.train))


def price_of_rows(rows: int, task: Task) -> int:
    """What so many training rows, of samples, count together: their share of all, rounded up."""
    return math.ceil(rows / len(task.train))


def price_of_generation(task: Task, population_size: int, *, sample: int | None = None, again: bool = False) -> int:
    """What a generation counts at most, without its looks at the dev rows.

    Args:
        task: with the rows.
        population_size: candidates of a generation.
        sample: rows that each of them is scored on; None: all.
        again: whether one candidate is scored on all training rows for the selection alone.
    """
    return again + (population_size if sample is None else price_of_rows(sample * population_size, task))


def price_of_start(task: Task, generation: int, finalists: int = 1) -> int:
    """What the starting prompt and a first generation count, with the looks at the dev rows of it and the finalists.

    Args:
        task: with the rows.
        generation: what a generation counts.
        finalists: candidates that are looked at.
    """
    return 1 + generation + (1 + finalists) * price(task.dev, task)
