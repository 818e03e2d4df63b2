"""k rows of each label, drawn as LM-BFF draws them (Gao et al. 2021, arXiv 2012.15723; BBT does the same)."""

from collections.abc import Sequence

import numpy as np

from blackbox.errors import DataError


def few_shot_places(labels: Sequence[int], *, shots: int, seed: int) -> tuple[list[int], list[int]]:
    """Places of the training and of the dev rows, `shots` of each label, label by label as they were first drawn.

    All rows are shuffled by NumPy's legacy generator; the first of each label are training rows, the next ones dev
    rows. Where the rows stand in the order of LM-BFF's files, its seeds (13, 21, 42, 87, 100) give its splits.

    Args:
        labels: of all rows; those below 0 have none and are left out.

    Raises:
        DataError: a label has fewer than twice as many rows.
    """
    if shots < 1:
        raise DataError(f"shots must be at least 1, got {shots}")
    places = [place for place, label in enumerate(labels) if label >= 0]
    np.random.RandomState(seed).shuffle(places)
    of_labels: dict[int, list[int]] = {}
    for place in places:
        of_labels.setdefault(labels[place], []).append(place)
    for label, drawn in of_labels.items():
        if len(drawn) < 2 * shots:
            raise DataError(f"label {label} has {len(drawn)} rows; 2 samples of {shots} are asked for")
    return (
        [place for drawn in of_labels.values() for place in drawn[:shots]],
        [place for drawn in of_labels.values() for place in drawn[shots : 2 * shots]],
    )
