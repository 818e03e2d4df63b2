"""What can be wrong with the runs of a sweep, found before the first of them begins."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from blackbox.build import check_elites
from blackbox.config import Config, make_config
from blackbox.environment import data_hash
from blackbox.errors import BlackboxError, MismatchError, SettingError
from blackbox.loaded_models import model_key
from blackbox.optimizers import OptimizerError
from blackbox.parts import read_files
from blackbox.run_folder import RunFolder
from blackbox.sweeps.plan import PlannedRun
from blackbox.task import Task

_FILES = {"train", "dev", "test", "answers"}  # they may move: what stands in them is compared, or plays no part


@dataclass(frozen=True, eq=False)
class Checked:
    """A run whose settings and files are as they must be.

    Attributes:
        run: as planned.
        config: its settings, with what stands in files.
        data: the hash of its task.
        compared_by: its metric, and the hash of its test rows.
    """

    run: PlannedRun
    config: Config
    data: str
    compared_by: tuple[object, str]

    @cached_property
    def settings(self) -> dict[str, object]:
        """JSON values, but for the places of files."""
        return _settings(self.config)


def check_runs(runs: Sequence[PlannedRun]) -> list[Checked]:
    """Checks all runs; returns them in an order in which each model is loaded once.

    Raises:
        SettingError: settings, files or rows that are not as they must be, each by its run; methods that cannot be
            compared on a task; two runs that are the same.
        MismatchError: a folder holds another run than the sweep's.
    """
    checked = [_check(run) for run in runs]
    _check_comparable(checked)
    _check_different(checked)
    _check_books(checked)
    for one in checked:
        _check_folder(one)
    models = list(dict.fromkeys(model_key(one.config) for one in checked))
    return sorted(checked, key=lambda one: models.index(model_key(one.config)))


def _check(run: PlannedRun) -> Checked:
    try:
        config, task = read_files(make_config(run.settings))
        check_elites(config, None, None)
    except (BlackboxError, OptimizerError) as error:
        raise SettingError(f"{run.name}: {error}") from error
    if not len(task.test):
        raise SettingError(
            f"{run.name}: no test rows: set `test`; methods are compared on rows that no search has seen"
        )
    return Checked(run, config, data_hash(task), (config.metric, _test_hash(task)))


def _test_hash(task: Task) -> str:
    rows = [sorted((key, repr(value)) for key, value in row.items()) for row in task.test.rows]
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def _check_comparable(checked: Sequence[Checked]) -> None:
    """One metric and the same test rows for all runs of a task."""
    first: dict[str, Checked] = {}
    for one in checked:
        other = first.setdefault(one.run.task, one)
        if one.compared_by != other.compared_by:
            what = "metric" if one.compared_by[0] != other.compared_by[0] else "test rows"
            raise SettingError(f"{one.run.name} has other {what} than {other.run.name}; they cannot be compared")


def _check_different(checked: Sequence[Checked]) -> None:
    known: dict[tuple[str, str], PlannedRun] = {}
    for one in checked:
        other = known.setdefault((json.dumps(one.settings, sort_keys=True), one.data), one.run)
        if other is not one.run:
            raise SettingError(f"{other.name} and {one.run.name} are the same run: same settings, same rows")


def _check_books(checked: Sequence[Checked]) -> None:
    """Runs that share a file of answers are told apart by their settings, or one would count for the other's budget."""
    known: dict[tuple[str, str], PlannedRun] = {}
    for one in checked:
        if not one.config.answers:
            continue
        from blackbox.endpoints import run_of

        other = known.setdefault((one.config.answers, run_of(one.config)), one.run)
        if other is not one.run:
            raise SettingError(
                f"{other.name} and {one.run.name} have one file of answers and differ in their rows only: their "
                "budgets would be one; give each task a file of its own: answers"
            )


def _check_folder(one: Checked) -> None:
    folder = RunFolder(one.run.folder)
    if not folder.holds_run:
        return
    before, now = _settings(folder.read_config()), one.settings
    remedy = "give the sweep another name, or delete the folder"
    for key in now:
        if before[key] != now[key]:
            raise MismatchError(f"{folder.path} holds a run with {key} {before[key]!r}, not {now[key]!r}; {remedy}")
    if folder.read_environment()["data_hash"] != one.data:
        raise MismatchError(f"{folder.path} holds a run on other rows; {remedy}")


def _settings(config: Config) -> dict[str, object]:
    """Through JSON, as a run folder keeps them."""
    values: dict[str, object] = json.loads(json.dumps(config.model_dump(exclude=_FILES)))
    return values
