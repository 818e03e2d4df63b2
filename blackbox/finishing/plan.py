"""What shall be tried after a search, what it counts in the budget, and whether the task and the space allow it."""

import math
from dataclasses import dataclass

from blackbox.budget import price
from blackbox.config import Config
from blackbox.errors import SettingError
from blackbox.finishing.offsets import CONTENT_FREE
from blackbox.task import Task
from blackbox.tried import PLAIN

_WAYS = {"off": (), "contextual": ("contextual",), "batch": ("batch",), "auto": ("contextual", "batch")}


@dataclass(frozen=True)
class Plan:
    """See the module.

    Attributes:
        ensemble: members at most; 0 for none.
        calibrations: "contextual" and "batch", as far as they shall be tried.
    """

    ensemble: int
    calibrations: tuple[str, ...]

    @classmethod
    def of(cls, config: Config) -> "Plan":
        """The plan of the settings."""
        return cls(config.ensemble, _WAYS[config.calibration])

    def __bool__(self) -> bool:
        return bool(self.ensemble or self.calibrations)

    def check(self, task: Task) -> None:
        """Refuse what cannot be done, before anything is spent.

        Raises:
            SettingError: an ensemble of one, or a task without label words or dev rows.
        """
        if not self:
            return
        name = "ensemble" if self.ensemble else "calibration"
        if self.ensemble == 1:
            raise SettingError("setting 'ensemble': must be 0, or at least 2 members, got 1")
        if not task.labels:
            raise SettingError(f"setting {name!r}: needs label words, whose probabilities it changes; got targets")
        if not len(task.dev):
            raise SettingError(f"setting {name!r}: is kept only where it is better on dev rows, and there are none")

    def price(self, task: Task) -> int:
        """Evaluations that the search leaves for it: all attempts, each with as many members as there may be."""
        members = max(self.ensemble, 1)
        ensemble = attempt_price(task, PLAIN, members) if self.ensemble else 0
        return ensemble + sum(attempt_price(task, way, members) for way in self.calibrations)


def attempt_price(task: Task, calibration: str, members: int) -> int:
    """What an attempt counts, for each member: a look at the dev rows, and the rows that it is calibrated by."""
    rows = {PLAIN: 0, "contextual": math.ceil(len(CONTENT_FREE) / len(task.train)), "batch": 1}
    return members * (price(task.dev, task) + rows[calibration])
