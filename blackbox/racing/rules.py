"""The rules of a race."""

import math
from dataclasses import dataclass

from blackbox.errors import SettingError


@dataclass(frozen=True)
class RaceRules:
    """When a candidate leaves, and when an answer is missed.

    The defaults of `risk`, `spread`, `first_rows` and `block_rows` are from simulations with other seeds than those
    whose figures `python -m benchmarks racing` prints.

    Attributes:
        first_rows: rows that all candidates meet before any may leave; fewer show too little of the spread.
        block_rows: rows between two looks after that.
        risk: a candidate leaves where the probability that it would lead over all rows falls below this share of its
            fair share, 1 / n_candidates. Of 16 candidates each is let go below 1%.
        spread: standard deviation of the candidates' true means that is expected beforehand, in standard deviations
            of a row's noise. It keeps the differences on the first rows, most of them luck, from being drawn on.
        full_field: after n rows at most n_candidates * full_field * n_rows / n candidates stay, rounded up, but never
            fewer than `finalists`: the schedule that bounds the calls where all are equal, to about
            full_field * (1 - log(full_field)) of a full evaluation. 1 = no schedule.
        finalists: the schedule never cuts below them; at most so many are scored on fresh rows.
        asks: times that a row without an answer is asked in one look.
        least_rows: a candidate with fewer answered rows is not compared.
        least_share: nor is one with fewer than this share of the answered rows of the one that has most.
        patience: looks in which a missing row of such a candidate is asked again, and looks that the candidate is
            waited for, before it is set aside, while it falls short by more than bad luck on few rows explains (two
            standard deviations) or all rows are met.
    """

    first_rows: int = 20
    block_rows: int = 10
    risk: float = 0.15
    spread: float = 0.1
    full_field: float = 0.2
    finalists: int = 3
    asks: int = 3
    least_rows: int = 10
    least_share: float = 0.8
    patience: int = 2

    def __post_init__(self) -> None:
        for name in ("first_rows", "least_rows"):
            self._must(name, getattr(self, name) >= 2, "at least 2")
        for name in ("block_rows", "finalists", "asks"):
            self._must(name, getattr(self, name) >= 1, "at least 1")
        self._must("first_rows", self.first_rows >= self.least_rows, f"at least least_rows, {self.least_rows}")
        self._must("patience", self.patience >= 0, "at least 0")
        self._must("spread", self.spread > 0 and math.isfinite(self.spread), "positive and finite")
        self._must("risk", 0 <= self.risk < 1, "from 0 to below 1")
        for name in ("full_field", "least_share"):
            self._must(name, 0 < getattr(self, name) <= 1, "above 0 and at most 1")

    def _must(self, name: str, holds: bool, what: str) -> None:
        if not holds:
            raise SettingError(f"{name} of a race must be {what}, got {getattr(self, name)}")

    def stay(self, met: int, *, n_candidates: int, n_rows: int) -> int:
        """How many candidates may stay by the schedule after `met` rows."""
        return max(self.finalists, math.ceil(n_candidates * min(1.0, self.full_field * n_rows / met)))
