"""The rules of a race."""

import math
from dataclasses import dataclass

from blackbox.errors import SettingError


@dataclass(frozen=True)
class RaceRules:
    """Who meets the next rows, when the race ends, and when an answer is missed.

    The defaults of `first_rows`, `block_rows`, `risk`, `spread` and `finalists` are from simulations with other seeds
    than those whose figures `python -m benchmarks racing` prints.

    Attributes:
        first_rows: rows that all candidates meet; None is a third of the rows, from 10 to 20.
        block_rows: rows between two looks after that.
        risk: the race ends where the probability that another than the leader would lead over all rows is at most this.
        spread: standard deviation of the candidates' true means that is expected beforehand, in standard deviations
            of a row's noise. It keeps the differences on the first rows, most of them luck, from being drawn on.
        finalists: the likeliest to lead, which meet the next rows; at most so many are scored on fresh rows.
        asks: times that a row without an answer is asked in one look.
        least_rows: a candidate with fewer answered rows is not compared.
        least_share: nor is one that answers a smaller share of the rows it met than this part of the largest share.
        patience: looks in which a missing row of such a candidate is asked again, and looks that the candidate is
            waited for, before it is set aside, while it falls short by more than bad luck on few rows explains (two
            standard deviations) or all rows are met.
    """

    first_rows: int | None = None
    block_rows: int = 5
    risk: float = 0.08
    spread: float = 0.15
    finalists: int = 3
    asks: int = 3
    least_rows: int = 10
    least_share: float = 0.8
    patience: int = 2

    def __post_init__(self) -> None:
        self._must("least_rows", self.least_rows >= 2, "at least 2")
        for name in ("block_rows", "finalists", "asks"):
            self._must(name, getattr(self, name) >= 1, "at least 1")
        enough = self.first_rows is None or self.first_rows >= self.least_rows
        self._must("first_rows", enough, f"at least least_rows, {self.least_rows}")
        self._must("patience", self.patience >= 0, "at least 0")
        self._must("spread", self.spread > 0 and math.isfinite(self.spread), "positive and finite")
        self._must("risk", 0 <= self.risk < 1, "from 0 to below 1")
        self._must("least_share", 0 < self.least_share <= 1, "above 0 and at most 1")

    def first_of(self, n_rows: int) -> int:
        """Rows that all candidates meet where there are so many."""
        return max(min(n_rows // 3, 20), 10) if self.first_rows is None else self.first_rows

    def _must(self, name: str, holds: bool, what: str) -> None:
        if not holds:
            raise SettingError(f"{name} of a race must be {what}, got {getattr(self, name)}")
