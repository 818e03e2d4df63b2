"""The searches that meet the faults: each way to search text, with proposals from the endpoint that fails itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.faults.task import FEW_ROWS, ROWS, SETTINGS, STYLE

_CHOICES: dict[str, Any] = {
    "space": "choices",
    "instructions": [STYLE.format(number) for number in range(3)],
    "demonstrations": 2,
    "population": 6,
    "evaluations": 40,
}


@dataclass(frozen=True)
class Searched:
    """Settings, and rows in each split."""

    settings: Mapping[str, Any]
    rows: Mapping[str, int]

    @classmethod
    def of(cls, rows: Mapping[str, int] = FEW_ROWS, **settings: Any) -> "Searched":
        """With what all runs have."""
        return cls({**SETTINGS, **settings}, rows)


SEARCHES = {
    "texts": Searched.of(ROWS, space="texts", prompts=[f"{STYLE.format(number)} " for number in range(8)]),
    "random-search": Searched.of(**_CHOICES, optimizer="random-search"),
    "categorical": Searched.of(**_CHOICES, optimizer="categorical"),
    "evolution": Searched.of(**_CHOICES, optimizer="evolution"),
    "evolution:de": Searched.of(**_CHOICES, optimizer="evolution:de"),
    "reflective": Searched.of(**_CHOICES, optimizer="reflective"),
    "ensemble, calibration": Searched.of(**_CHOICES, optimizer="categorical", ensemble=3, calibration="auto"),
}
"""By name."""
