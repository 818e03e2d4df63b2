"""The kept results: what a benchmark has measured, on which machine and when."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Kept:
    """One file of results."""

    name: str
    figures: Mapping[str, Any]
    machine: str
    date: str
    versions: Mapping[str, str]
    seconds: float | None


def read_results(folder: Path, names: Iterable[str]) -> dict[str, Kept]:
    """Those of the benchmarks that have been kept, in the order of the names."""
    found = {}
    for name in names:
        path = folder / f"{name}.json"
        if path.exists():
            values = json.loads(path.read_text(encoding="utf-8"))
            found[name] = Kept(
                name,
                values["figures"],
                values["machine"],
                values["date"],
                values.get("versions", {}),
                values.get("seconds"),
            )
    return found
