"""What of the benchmark is run: environment variables in the place of the defaults."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

from benchmarks.few_shot.table import METHODS, PROMPTS
from benchmarks.published import TASKS

SEEDS = ("13", "21", "42", "87", "100")


@dataclass(frozen=True)
class Settings:
    """The extent of the figures.

    Attributes:
        model: "smollm2-135m" (bundled), a folder or a hub name: $BLACKBOX_MODEL.
        dtype: of the model where no gradients are taken of it: $BLACKBOX_DTYPE; gradients have float32.
        tasks, seeds, methods: $BLACKBOX_TASKS, $BLACKBOX_SEEDS and $BLACKBOX_METHODS, with commas.
        evaluations: of a search: $BLACKBOX_EVALUATIONS.
        epochs: of gradients, for each learning rate: $BLACKBOX_EPOCHS.
        rates: learning rates that are tried, the first ones of each method.
        pairs: of each kind for a row, in SetFit (its R).
        test_rows: the first ones: $BLACKBOX_TEST_ROWS.
    """

    model: str = "smollm2-135m"
    dtype: str = "float32"
    tasks: tuple[str, ...] = ("sst2", "agnews", "dbpedia14", "mrpc", "snli", "rte", "trec")
    seeds: tuple[int, ...] = (13, 21, 42)
    methods: tuple[str, ...] = tuple(METHODS)
    evaluations: int = 900
    epochs: int = 16
    rates: int = 2
    pairs: int = 20
    test_rows: int = 500


def read_settings(environment: Mapping[str, str] = os.environ, *, quick: bool) -> Settings:
    """The settings; `quick`: one task and seed, 40 evaluations, 2 epochs of one learning rate, 100 test rows.

    Raises:
        ValueError: a name that nothing has, or a number that is none.
    """
    settings = Settings()
    if quick:
        settings = replace(
            settings, tasks=("sst2",), seeds=(13,), evaluations=40, epochs=2, rates=1, pairs=5, test_rows=100
        )
    return replace(
        settings,
        model=environment.get("BLACKBOX_MODEL", settings.model),
        dtype=environment.get("BLACKBOX_DTYPE", settings.dtype),
        tasks=_names(environment, "BLACKBOX_TASKS", TASKS.keys() & PROMPTS.keys(), settings.tasks),
        seeds=tuple(map(int, _names(environment, "BLACKBOX_SEEDS", SEEDS, tuple(map(str, settings.seeds))))),
        methods=_names(environment, "BLACKBOX_METHODS", METHODS, settings.methods),
        **{
            name: _number(environment, f"BLACKBOX_{name.upper()}", getattr(settings, name))
            for name in ("evaluations", "epochs", "test_rows")
        },
    )


def _names(environment: Mapping[str, str], variable: str, known: object, default: tuple[str, ...]) -> tuple[str, ...]:
    if variable not in environment:
        return default
    names = tuple(name.strip() for name in environment[variable].split(","))
    if unknown := [name for name in names if name not in known]:  # type: ignore[operator]
        raise ValueError(f"{variable}: {unknown[0]!r} is none of {', '.join(map(str, known))}")  # type: ignore[call-overload]
    return names


def _number(environment: Mapping[str, str], variable: str, default: int) -> int:
    text = environment.get(variable, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{variable}: must be a whole number from 1, got {text!r}")
    return int(text)
