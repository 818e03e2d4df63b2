"""What a sweep is made of: SWEEP.toml, or the same keys and values as a mapping.

name = "feedback"            # of the sweep's folder; default: the file's name
baseline = "bbtv2"           # the method that the others are compared with
seeds = [13, 21, 42]         # each task is searched by each method from each seed
workers = 2                  # runs at once: processes, or threads for runs that ask endpoints

[budget]                     # of all runs that ask endpoints together; see `blackbox.sweeps.budget`
max_usd = 5.0
[settings]                   # any settings of a run: of all runs,
[tasks.feedback]             # of a task,
[methods.bbtv2]              # of a method;
[grid]                       # every method with every combination of values:
dimension = [50, 100]        # "bbtv2 dimension=50", "bbtv2 dimension=100"
[methods.bbtv2.grid]         # or of one method only

A key that stands in several of them has the value of the last of: settings, task, method, grid.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from blackbox.checked import check_keys, checked
from blackbox.config import Config, from_folder, read_toml
from blackbox.errors import SettingError, unknown_name
from blackbox.sweeps.budget import SweepBudget

Settings = dict[str, Any]

_NAME = re.compile(r"\w[\w .:=+-]*")
_GRID, _LIMIT = "grid", "limit of [budget]"


class SweepSettings(BaseModel):
    """The keys of SWEEP.toml; see the module."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None = None
    baseline: str | None = None
    seeds: list[int] = Field(default_factory=lambda: [0], min_length=1)
    workers: int = Field(1, ge=1)
    budget: dict[str, Any] = Field(default_factory=dict)
    settings: Settings = Field(default_factory=dict)
    tasks: dict[str, Settings] = Field(default_factory=dict)
    methods: dict[str, Settings] = Field(default_factory=dict)
    grid: dict[str, list[Any]] = Field(default_factory=dict)


@dataclass(frozen=True)
class Spec:
    """A sweep as it was meant.

    Attributes:
        name: of its folder.
        baseline: the method that the others are compared with, if any.
        seeds: of the runs of each task and method.
        workers: runs at once.
        budget: of all runs that ask endpoints together.
        settings: of all runs.
        tasks: the settings of each.
        methods: the settings of each; the grid has been multiplied out.
    """

    name: str
    baseline: str | None
    seeds: tuple[int, ...]
    workers: int
    budget: SweepBudget
    settings: Settings
    tasks: dict[str, Settings]
    methods: dict[str, Settings]


def read_spec(source: str | Path | Mapping[str, Any]) -> Spec:
    """The sweep of a TOML file, whose paths count from its folder, or of a mapping with the same keys.

    Raises:
        SettingError: no such file, an unknown key, a value out of its range, or a baseline that is no method.
    """
    if isinstance(source, Mapping):
        return _spec(source, folder=Path.cwd(), name="sweep")
    path = Path(source)
    return _spec(read_toml(path), folder=path.resolve().parent, name=path.stem)


def with_budget(spec: Spec, limits: Mapping[str, Any]) -> Spec:
    """The sweep with other limits in the place of its own.

    Raises:
        SettingError: an unknown limit, or a value out of its range.
    """
    values = {**spec.budget.model_dump(), **limits}
    return replace(spec, budget=checked(SweepBudget, values, what=_LIMIT))


def _spec(values: Mapping[str, Any], *, folder: Path, name: str) -> Spec:
    given = checked(SweepSettings, values, what="key of a sweep")
    methods = dict(_methods(given))
    spec = Spec(
        given.name or name,
        given.baseline,
        tuple(given.seeds),
        given.workers,
        checked(SweepBudget, given.budget, what=_LIMIT),
        from_folder(given.settings, folder),
        {task: from_folder(settings, folder) for task, settings in (given.tasks or {"task": {}}).items()},
        {method: from_folder(settings, folder) for method, settings in methods.items()},
    )
    _check_names(spec, given)
    _check_settings(spec)
    return spec


def _methods(given: SweepSettings) -> Iterator[tuple[str, Settings]]:
    """The methods with the grid multiplied out, each by its name."""
    if not given.methods and not given.grid:
        raise SettingError("a sweep needs methods to compare: [methods.NAME] with settings of each, or a [grid]")
    for method, settings in (given.methods or {"": {}}).items():
        own = settings.get(_GRID, {})
        if not isinstance(own, Mapping):
            raise SettingError(f"[methods.{method}] grid must be a table of settings and lists of values, got {own!r}")
        plain = {key: value for key, value in settings.items() if key != _GRID}
        for cell in _cells({**given.grid, **own}):
            words = [method, *(f"{key}={_text(value)}" for key, value in cell.items())]
            yield " ".join(word for word in words if word), {**plain, **cell}


def _cells(grid: Mapping[str, Any]) -> Iterator[Settings]:
    """Every combination of the values."""
    for key, values in grid.items():
        if not isinstance(values, list) or not values:
            raise SettingError(f"grid {key!r} must be a list of values, got {values!r}")
        if any(not isinstance(value, bool | int | float | str) for value in values) or len(set(values)) < len(values):
            raise SettingError(
                f"grid {key!r}: values must differ and be numbers, texts, true or false, got {values!r}; "
                "for others write a [methods.NAME] each"
            )
    for combination in product(*grid.values()):
        yield dict(zip(grid, combination, strict=True))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_names(spec: Spec, given: SweepSettings) -> None:
    """They become folders."""
    for what, names in (("name", [spec.name]), ("task", spec.tasks), ("method", given.methods)):
        for name in names:
            if not _NAME.fullmatch(name):
                raise SettingError(
                    f"{what} {name!r} becomes a folder: it must begin with a letter or digit and go on with letters, "
                    "digits, spaces or any of _ . : = + -"
                )
    if spec.baseline is not None and spec.baseline not in spec.methods:
        raise unknown_name("baseline", spec.baseline, spec.methods)
    if len(set(spec.seeds)) < len(spec.seeds):
        raise SettingError(f"seeds must differ, got {list(spec.seeds)}")


def _check_settings(spec: Spec) -> None:
    """Every key is a setting; the seed has a place of its own."""
    tables = {f"tasks.{name}": settings for name, settings in spec.tasks.items()}
    tables |= {f"methods.{name}": settings for name, settings in spec.methods.items()}
    for where, settings in {"settings": spec.settings, **tables}.items():
        if "seed" in settings:
            raise SettingError(f"[{where}] seed: the seeds of a sweep stand in its list `seeds`")
        check_keys(settings, Config.model_fields, what=f"setting of [{where}]")
