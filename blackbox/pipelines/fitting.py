"""From the parameters of a classifier and labelled rows to a run."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np

from blackbox.backends import Backend
from blackbox.callbacks import Callback
from blackbox.config import Config, ExecutorSettings, TaskSettings, make_config
from blackbox.errors import SettingError
from blackbox.parts import read_files
from blackbox.run import Result
from blackbox.run_folder import RunFolder
from blackbox.seeds import part_seed
from blackbox.task import Task
from blackbox.tune import resume, tune

LEAST_ROWS = 4  # of the rarest label, that some are held back for the dev rows
_OF_ROWS = {
    "train": "the rows are given to fit",
    "dev": "dev rows are held back from them, see dev_share",
    "test": "rows to be tested on are given to score",
    "shots": "all rows that are given to fit are used",
    **dict.fromkeys(
        ("label_field", "target_field", "number_field", "tags_field", "tokens_field"), "labels are given as y"
    ),
    "template": "it is a parameter",
    "label_words": "they are a parameter",
    "class_weights": "class_weight is a parameter",
}
_OF_TASK = TaskSettings.model_fields.keys() & signature(Task).parameters.keys()


@dataclass(frozen=True)
class Plan:
    """The settings of a run.

    Attributes:
        of_task: arguments of `Task`.
        of_run: arguments of `tune`.
        config: all of the run's, checked.
        backend: an object, or its name.
    """

    of_task: Mapping[str, Any]
    of_run: Mapping[str, Any]
    config: Config
    backend: Backend | str

    def run(self, task: Task, *, folder: str | Path | None, callbacks: Sequence[Callback]) -> Result:
        """Do the run; with a folder, in one of its own within, where an equal run is gone on with or read."""
        if folder is None:
            return tune(task, backend=self.backend, callbacks=callbacks, **self.of_run)
        path = Path(folder) / self._digest(task)
        if RunFolder(path).holds_run:
            return resume(path, backend=None if isinstance(self.backend, str) else self.backend, callbacks=callbacks)
        return tune(task, backend=self.backend, folder=path, callbacks=callbacks, **self.of_run)

    def _digest(self, task: Task) -> str:
        """Of all that the result depends on, files of prompts included."""
        config, _ = read_files(self.config, task)
        settings = config.model_dump(mode="json", exclude=set(ExecutorSettings.model_fields) - {"threads"})
        model = None if isinstance(self.backend, str) else self.backend.model_hash
        content = json.dumps([settings, task.to_dict(), model], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def make_plan(parameters: Mapping[str, Any], settings: Mapping[str, Any] | None, *, backend: Backend | str) -> Plan:
    """The settings of a run from a classifier's parameters and its further settings.

    Args:
        parameters: those that are settings too, None where the setting's default holds.
        settings: the rest by name.
        backend: an object, or its name.

    Raises:
        SettingError: an unknown setting, one out of its range, one that is given twice, or one that has no meaning
            where rows and labels are given.
    """
    given = {name: value for name, value in parameters.items() if value is not None}
    further = dict(settings or {})
    if doubled := sorted((parameters.keys() | {"backend"}) & further.keys()):
        raise SettingError(f"setting {doubled[0]!r} is a parameter of the classifier; set it there")
    for name in sorted(_OF_ROWS.keys() & further.keys()):
        raise SettingError(f"setting {name!r} has no meaning for a classifier: {_OF_ROWS[name]}")
    values = {**further, **given}
    of_task = {name: values.pop(name) for name in sorted(_OF_TASK & values.keys())}
    named = {"backend": backend} if isinstance(backend, str) else {}
    return Plan(of_task, values, make_config({**values, **of_task, **named}), backend)


def held_back(rows: Sequence[Mapping[str, object]], *, share: float, seed: int) -> tuple[list[Any], list[Any]]:
    """Training and dev rows: of each label this share of its rows for dev, drawn from the seed.

    The share is rounded down, but at least one row and never all. Where a label has fewer than 4 rows, or at a share of
    0, all are training rows and the prompt is selected on their loss.

    Raises:
        SettingError: the share is not from 0 to below 1.
    """
    if not 0 <= share < 1:
        raise SettingError(f"dev_share must be at least 0 and below 1, got {share}")
    of_labels: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        of_labels.setdefault(str(row["label"]), []).append(place)
    if share == 0 or min(map(len, of_labels.values())) < LEAST_ROWS:
        return list(rows), []
    rng = np.random.default_rng(part_seed(seed, "shots"))
    dev: set[int] = set()
    for _, places in sorted(of_labels.items()):
        dev |= set(rng.permutation(places)[: max(1, int(share * len(places)))].tolist())
    return [row for place, row in enumerate(rows) if place not in dev], [rows[place] for place in sorted(dev)]
