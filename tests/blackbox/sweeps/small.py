"""Small sweeps of the fake backend, and what they leave behind."""

import json
from pathlib import Path
from typing import Any

from blackbox.sweeps import SweepResult
from tests.blackbox.runs import outcome, write_task
from tests.blackbox.small import TEMPLATE, WORDS

METHODS: dict[str, dict[str, Any]] = {
    "random": {"optimizer": "random-search"},
    "bbtv2": {"optimizer": "blockwise:cma-es"},
}


def small_sweep(folder: Path, **changes: Any) -> dict[str, Any]:
    """The keys and values of a sweep of one task, two methods and two seeds; its rows are written to the folder."""
    write_task(folder)
    files = {name: str(folder / f"{name}.jsonl") for name in ("train", "dev", "test")}
    settings = {
        **{"backend": "fake", "template": TEMPLATE, "label_words": WORDS, **files},
        **{"prompt": "ab", "layers": "all", "dimension": 4, "population": 4, "slice_size": 2, "evaluations": 30},
    }
    return {"name": "small", "seeds": [1, 2], "settings": settings, "methods": METHODS, **changes}


def write_sweep(path: Path, values: dict[str, Any]) -> Path:
    """The same as a TOML file."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items() if not isinstance(value, dict)]
    lines += _tables(values, "")
    path.write_text("\n".join(lines) + "\n")
    return path


def _tables(values: dict[str, Any], prefix: str) -> list[str]:
    lines: list[str] = []
    for key, table in values.items():
        if isinstance(table, dict):
            name = f"{prefix}{json.dumps(key)}"
            own = [f"{json.dumps(k)} = {json.dumps(v)}" for k, v in table.items() if not isinstance(v, dict)]
            lines += [f"[{name}]", *own, *_tables(table, f"{name}.")]
    return lines


def outcomes(result: SweepResult) -> dict[str, Any]:
    """All that the runs have found and counted, but for time."""
    return {record.run.name: outcome(record.run.folder) for record in result.records}


def times(result: SweepResult) -> dict[str, int]:
    """When each run's journal was last written to."""
    return {
        record.run.name: (record.run.folder / "evaluations.jsonl").stat().st_mtime_ns
        for record in result.records
        if (record.run.folder / "evaluations.jsonl").exists()
    }
