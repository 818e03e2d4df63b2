"""When a search ends."""

import math
from dataclasses import dataclass

from blackbox.errors import SettingError


@dataclass(frozen=True)
class StopRules:
    """When a search ends before its budget, and the size of a slice.

    Attributes:
        target: the metric that is good enough on the dev rows (without dev rows: on the training rows), a share of one;
            where the task has no metric, the loss, nats.
        patience: evaluations without a lower training loss after which the search gives up.
        slice_size: candidates scored by one call of the backend: what a kill loses at most.
        finalists: best candidates of a generation that are looked at on the dev rows where one is the best so far.
        reserve: evaluations that are left for what comes after the search.
        by_mean: whether the mean of the search distribution takes part in the selection, not its samples.
    """

    target: float | None = None
    patience: int | None = None
    slice_size: int = 5
    finalists: int = 1
    reserve: int = 0
    by_mean: bool = False

    def __post_init__(self) -> None:
        if self.target is not None and not 0 < self.target < math.inf:
            raise SettingError(f"target must be positive and finite, got {self.target}")
        for name, value in (
            ("patience", self.patience),
            ("slice_size", self.slice_size),
            ("finalists", self.finalists),
        ):
            if value is not None and value < 1:
                raise SettingError(f"{name} must be at least 1, got {value}")
