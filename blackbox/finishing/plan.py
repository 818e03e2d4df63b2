"""What shall be tried after a search, what it counts in the budget, and whether the task and the space allow it."""

import math
from dataclasses import dataclass

from blackbox.budget import price
from blackbox.config import Config
from blackbox.errors import SettingError
from blackbox.finishing.offsets import CONTENT_FREE
from blackbox.spaces import ChoicesSpace, PromptSpace, TextsSpace
from blackbox.task import Task
from blackbox.tried import PLAIN
from blackbox.verbalizers.grader import readout_grader

READ = "readout"
_WAYS = {"off": (), "contextual": ("contextual",), "batch": ("batch",), "auto": ("contextual", "batch")}


@dataclass(frozen=True)
class Plan:
    """See the module.

    Attributes:
        ensemble: members at most; 0 for none.
        calibrations: "contextual" and "batch", as far as they shall be tried.
        templates: to be averaged over, the task's own first; none where it has only that one.
        readout: of hidden states, to be tried in the place of the label words; None for none.
    """

    ensemble: int
    calibrations: tuple[str, ...]
    templates: tuple[str, ...] = ()
    readout: str | None = None

    @classmethod
    def of(cls, config: Config) -> "Plan":
        """The plan of the settings."""
        averaged = bool(config.templates) and config.target_field is None
        templates = (config.template, *config.templates) if averaged else ()
        readout = config.readout if config.readout != "off" else None
        return cls(config.ensemble, _WAYS[config.calibration], templates, readout)

    def __bool__(self) -> bool:
        return bool(self.ensemble or self.calibrations or self.templates or self.readout)

    def check(self, task: Task, space: PromptSpace) -> None:
        """Refuse what cannot be done, before anything is spent.

        Raises:
            SettingError: an ensemble of one, a task without label words or dev rows, or several templates for prompts
                that bring one along.
        """
        if task.templates:
            _check_templates(task, space)
        if not (self.ensemble or self.calibrations or self.readout):
            return
        name = "ensemble" if self.ensemble else "calibration" if self.calibrations else "readout"
        if self.readout:
            readout_grader(task.grader, task.train, task.dev, self.readout)  # refuses what has no labels
        if self.ensemble == 1:
            raise SettingError("setting 'ensemble': must be 0, or at least 2 members, got 1")
        if not task.labels:
            raise SettingError(f"setting {name!r}: needs label words, whose probabilities it changes; got targets")
        if not len(task.dev):
            raise SettingError(
                f"setting {name!r}: is kept only where it is clearly better on dev rows, and there are none"
            )

    def price(self, task: Task) -> int:
        """Evaluations that the search leaves for it: all attempts, each with as many members as there may be."""
        members = max(self.ensemble, 1)
        asks = members * max(1, len(self.templates))
        ensemble = attempt_price(task, PLAIN, members) if self.ensemble else 0
        templates = attempt_price(task, PLAIN, asks) if self.templates else 0
        readout = attempt_price(task, READ, 1) if self.readout else 0
        return ensemble + templates + sum(attempt_price(task, way, asks) for way in self.calibrations) + readout


def attempt_price(task: Task, calibration: str, asks: int) -> int:
    """What an attempt counts, for each time that a row is asked: the dev rows, and those that it goes by.

    `calibration` is one of `Tried`, or `READ` for a readout, which is fitted on the training rows.
    """
    rows = {PLAIN: 0, "contextual": math.ceil(len(CONTENT_FREE) / len(task.train)), "batch": 1, READ: 1}
    return asks * (price(task.dev, task) + rows[calibration])


def _check_templates(task: Task, space: PromptSpace) -> None:
    own = isinstance(space, ChoicesSpace) or (isinstance(space, TextsSpace) and any(p.template for p in space.prompts))
    if own:
        raise SettingError("setting 'templates': the prompts of this space bring templates of their own; leave it out")
    if task.robust:
        return
    if not task.labels:
        raise SettingError("setting 'templates': targets are not averaged over templates; set robust = true")
    if not len(task.dev):
        raise SettingError(
            "setting 'templates': an average is kept only where it is clearly better on dev, and there is none"
        )
