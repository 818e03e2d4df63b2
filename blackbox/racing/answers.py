"""The answers of a race: what was asked, what came, what it cost."""

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from blackbox.errors import DataError, SettingError

Score = Callable[[Sequence[int], Sequence[int]], npt.ArrayLike]
"""Numbers of candidates and of rows -> losses of shape (n_candidates, n_rows), lower is better, NaN = no answer.

Waiting for an outage to pass is its business: a row without an answer is asked again at once.
"""


class Answers:
    """Losses of every (candidate, row) pair so far; NaN where none was asked for or came.

    Attributes:
        losses: shape (n_candidates, n_rows).
        open: shape (n_candidates, n_rows), the pairs that may be asked at all.
        calls: pairs asked; `asked_again` of them for another time.

    Raises:
        SettingError: `exempt`, the rows that a candidate is never asked, names one that there is not.
    """

    def __init__(
        self, score: Score, n_candidates: int, n_rows: int, exempt: Mapping[int, Collection[int]] | None = None
    ) -> None:
        self._score = score
        self.open = _all_but(exempt or {}, n_candidates, n_rows)
        self._asked = np.zeros((n_candidates, n_rows), dtype=bool)
        self.losses = np.full((n_candidates, n_rows), np.nan)
        self.calls = 0
        self.asked_again = 0

    def ask(self, wanted: Mapping[int, Sequence[int]], *, times: int) -> None:
        """Asks for those of each candidate's open rows that have no answer yet, each at most so many times.

        Raises:
            DataError: the losses that came have another shape, or one is infinite.
        """
        for _ in range(times):
            groups: dict[tuple[int, ...], list[int]] = {}
            absent = self.open & np.isnan(self.losses)
            for candidate, rows in wanted.items():
                missing = tuple(row for row in rows if absent[candidate, row])
                groups.setdefault(missing, []).append(candidate)
            groups.pop((), None)
            for missing, alike in groups.items():  # candidates that lack the same rows are asked in one call
                self._ask(alike, list(missing))

    def _ask(self, candidates: list[int], rows: list[int]) -> None:
        losses = np.asarray(self._score(candidates, rows), dtype=np.float64)
        if losses.shape != (len(candidates), len(rows)):
            expected = (len(candidates), len(rows))
            raise DataError(f"score must return losses of shape {expected}, (candidates, rows), got {losses.shape}")
        if np.isinf(losses).any():
            first, second = np.argwhere(np.isinf(losses))[0]
            raise DataError(
                f"a loss must be finite, or NaN for no answer; candidate {candidates[first]} has"
                f" {losses[first, second]} on row {rows[second]}"
            )
        cells = np.ix_(candidates, rows)
        self.calls += losses.size
        self.asked_again += int(self._asked[cells].sum())
        self._asked[cells] = True
        self.losses[cells] = losses


def _all_but(exempt: Mapping[int, Collection[int]], n_candidates: int, n_rows: int) -> npt.NDArray[np.bool_]:
    """Shape (n_candidates, n_rows)."""
    left = np.ones((n_candidates, n_rows), dtype=bool)
    for candidate, rows in exempt.items():
        if not 0 <= candidate < n_candidates or not all(0 <= row < n_rows for row in rows):
            raise SettingError(
                f"exempt must name candidates 0 to {n_candidates - 1} and rows 0 to {n_rows - 1}, "
                f"got {sorted(rows)} of candidate {candidate}"
            )
        left[candidate, list(rows)] = False
    return left
