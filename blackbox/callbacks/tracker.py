"""Trackers: callbacks that carry the points of a run to a system that keeps and draws them.

A point is a set of figures at a step; steps are evaluations as the budget counts them. The starting prompt is the first
point, then each generation is one. What a run of the tracker is called there, and its last step, stand in the run's
folder (`tracker.NAME.json`), so that a resumed run goes on with it and gives no point twice.
"""

import logging
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from blackbox.backends import Usage
from blackbox.backends.errors import MissingPackageError
from blackbox.callbacks.base import Callback, Progress
from blackbox.evaluation import Evaluation
from blackbox.figures import Figure
from blackbox.files import read_json, write_json

log = logging.getLogger(__name__)

_NO_STEP = -1


@dataclass(frozen=True)
class TrackedRun:
    """What a tracker is told of a run.

    Attributes:
        name: for people.
        settings: all of them, task's included; none is a secret.
        folder: the run's folder; None where all is kept in memory.
    """

    name: str
    settings: Mapping[str, object]
    folder: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """What the run has found, as far as it is written."""
        names = ("prompt", "report.html", "summary.json", "curve.png")
        return tuple(self.folder / name for name in names if (self.folder / name).exists()) if self.folder else ()


class Tracker(Callback, ABC):
    """Besides the four moments of a callback, it is told when the run begins and ends.

    A subclass says how: `_open`, `_log` and `_close` may raise anything. A tracker that fails is warned of once and
    left out from then on; it never ends a run.

    Attributes:
        name: of its kind, of which a run has one.
        package: what must be installed.
    """

    name: ClassVar[str]
    package: ClassVar[str]

    def __init__(self) -> None:
        """Refuse what cannot work before anything is spent.

        Raises:
            MissingPackageError: the package is not installed.
        """
        if find_spec(self.package) is None:
            raise MissingPackageError(
                f"tracker {self.name!r} needs {self.package}; install it with: "
                f"pip install 'blackbox-prompts[{self.name}]'"
            )
        self._works = False
        self._state: Path | None = None
        self._id = ""  # of the run of the tracker
        self._step = _NO_STEP  # the last point's
        self._start: dict[str, float] = {}  # figures of the starting prompt, until they are logged
        self._start_step = 0
        self._losses: list[float] = []  # of the generation
        self._began = 0.0  # the generation, seconds of the run

    def begin(self, run: TrackedRun) -> None:
        """Before the search, or what is left of it."""
        self._state = run.folder / f"tracker.{self.name}.json" if run.folder else None
        self._works, self._step, self._start, self._losses = True, _NO_STEP, {}, []
        self._safely(lambda: self._opened(run))

    def end(self, run: TrackedRun, status: str, figures: Mapping[str, float]) -> None:
        """When all is written that the run has found.

        Args:
            run: which.
            status: "succeeded", "interrupted" or "failed".
            figures: of the outcome.
        """
        if status == "succeeded":
            self._log_start()  # a target may be reached before the first generation
        self._safely(lambda: self._close(run, status, _finite(figures)))
        self._works = False

    def on_start(self, progress: Progress) -> None:
        self._began = progress.elapsed

    def on_evaluations(self, evaluations: tuple[Evaluation, ...], progress: Progress) -> None:
        if any(evaluation.generation for evaluation in evaluations):
            self._log_start()
            self._losses += [evaluation.loss for evaluation in evaluations if evaluation.split == "train"]
            return
        for evaluation in evaluations:
            self._start |= _of_start(evaluation)
        self._start_step = progress.evaluations

    def on_generation(self, progress: Progress) -> None:
        took, self._began = progress.elapsed - self._began, progress.elapsed
        losses, self._losses = self._losses, []
        lowest = {"train/generation_loss": min(losses)} if losses else {}
        self._log_point(progress.evaluations, {**_so_far(progress), **lowest, "search/generation_seconds": took})

    def _log_start(self) -> None:
        start, self._start = self._start, {}
        if start:
            self._log_point(self._start_step, start)

    def _log_point(self, step: int, values: Mapping[str, float]) -> None:
        """Log a point behind the last one. The step is written down first: a kill loses a point, none comes twice."""
        if step > self._step:
            self._safely(lambda: self._logged(step, _finite(values)))

    def _logged(self, step: int, values: Mapping[str, float]) -> None:
        self._step = step
        self._keep()
        self._log(step, values)

    def _opened(self, run: TrackedRun) -> None:
        known = read_json(self._state) if self._state and self._state.exists() else {"id": None, "step": _NO_STEP}
        self._step = int(str(known["step"]))
        self._id = self._open(run, str(known["id"]) if known["id"] else None)
        self._keep()

    def _keep(self) -> None:
        if self._state:
            write_json(self._state, {"id": self._id, "step": self._step})

    def _safely(self, call: Callable[[], None]) -> None:
        if not self._works:
            return
        try:
            call()
        except Exception as error:  # noqa: BLE001 - whatever it is, the run is worth more than its record elsewhere
            self._works = False
            said = " ".join(str(error).split()) or "no reason is given"
            log.warning("tracker %s is left out from here on: %s: %s", self.name, type(error).__name__, said)

    @abstractmethod
    def _open(self, run: TrackedRun, known: str | None) -> str:
        """Begin a run of the tracker, or go on with the one that has this id; its id."""

    @abstractmethod
    def _log(self, step: int, values: Mapping[str, float]) -> None:
        """Log a point."""

    @abstractmethod
    def _close(self, run: TrackedRun, status: str, figures: Mapping[str, float]) -> None:
        """Log the outcome and the files of the run."""


def figures_of(split: str, figure: Figure | None, *, behind: str = "") -> dict[str, float]:
    """A figure with its interval by names, e.g. `dev/accuracy`, `dev/accuracy_low` and `dev/accuracy_high`."""
    if figure is None:
        return {}
    name = f"{split}/{re.sub(r'[^0-9A-Za-z_.-]', '_', figure.metric)}{behind}"
    ends = zip(("low", "high"), figure.interval or (), strict=False)
    return {name: figure.value, **{f"{name}_{end}": value for end, value in ends}}


def cost_of(usage: Usage, seconds: float) -> dict[str, float]:
    """What was spent, by names."""
    parts = {name: float(getattr(usage, name)) for name in ("requests", "prompt_tokens", "completion_tokens", "usd")}
    return {f"cost/{name}": value for name, value in {**parts, "seconds": seconds}.items()}


def _of_start(evaluation: Evaluation) -> dict[str, float]:
    if evaluation.split == "train":
        return {"train/loss": evaluation.loss, "search/generation": 0.0}
    return figures_of("dev", evaluation.figure) if evaluation.split == "dev" else {}


def _so_far(progress: Progress) -> dict[str, float]:
    block = {} if progress.block is None else {"search/block": float(progress.block)}
    loss = {} if progress.train_loss is None else {"train/loss": progress.train_loss}
    return {
        "search/evaluations": float(progress.evaluations),
        "search/generation": float(progress.generation),
        **block,
        **loss,
        **figures_of("dev", progress.dev),
        **cost_of(progress.usage, progress.elapsed),
    }


def _finite(values: Mapping[str, float]) -> dict[str, float]:
    """A loss is inf where no row had an answer, which few trackers can draw."""
    return {name: value for name, value in values.items() if math.isfinite(value)}
