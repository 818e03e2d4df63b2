"""The order in which all candidates meet the rows: shuffled, every beginning of it balanced over the labels."""

from collections.abc import Sequence

import numpy as np

from blackbox.errors import DataError


def row_order(n_rows: int, *, labels: Sequence[int] | None, seed: int) -> list[int]:
    """A seeded order of the rows 0 to n_rows - 1.

    With labels, one a row, the k-th of a label's c rows stands at (k + 1/2) / c of the way, so that every beginning
    holds each label as often as its share of all rows says, to within half a row for each label.

    Raises:
        DataError: not one label a row.
    """
    if labels is not None and len(labels) != n_rows:
        raise DataError(f"labels must be {n_rows}, one a row, got {len(labels)}")
    shuffled = np.random.default_rng(seed).permutation(n_rows)
    if labels is None:
        return [int(row) for row in shuffled]
    of_row = np.asarray(labels)
    place = np.empty(n_rows)
    for label in np.unique(of_row):
        own = of_row[shuffled] == label
        place[own] = (np.arange(own.sum()) + 0.5) / own.sum()
    return [int(row) for row in shuffled[np.argsort(place, kind="stable")]]
