"""The runs of a sweep: every task by every method from every seed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from blackbox.errors import SettingError
from blackbox.sweeps.spec import Settings, Spec


@dataclass(frozen=True, eq=False)
class PlannedRun:
    """One run of a sweep. Pickled, it is all that a worker needs, on a machine that has the same files.

    Attributes:
        task, method: by their names in the sweep.
        folder: absolute.
        settings: keys and values of `blackbox.Config`, paths absolute, the seed among them.
    """

    task: str
    method: str
    seed: int
    folder: Path
    settings: Settings

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.task} / {self.method} / seed {self.seed}"


def plan(spec: Spec, home: Path) -> list[PlannedRun]:
    """The runs, seeds outermost: however early a sweep is stopped, methods have met the same seeds.

    Args:
        spec: the sweep.
        home: its folder.

    Raises:
        SettingError: two tasks, or two methods, whose folders would be the same.
    """
    tasks, methods = _folders("task", list(spec.tasks)), _folders("method", list(spec.methods))
    return [
        PlannedRun(
            task,
            method,
            seed,
            home.absolute() / tasks[task] / methods[method] / f"seed{seed}",
            {**spec.settings, **spec.tasks[task], **spec.methods[method], "seed": seed},
        )
        for seed, task, method in product(spec.seeds, spec.tasks, spec.methods)
    ]


def _folders(what: str, names: Sequence[str]) -> dict[str, str]:
    """Name -> folder, of characters that every file system has."""
    folders: dict[str, str] = {}
    for name in names:
        folder = re.sub(r"[^\w.=+-]+", "-", name)
        for other, taken in folders.items():
            if taken.casefold() == folder.casefold():
                raise SettingError(f"{what}s {other!r} and {name!r} would have the same folder {folder!r}; rename one")
        folders[name] = folder
    return folders
