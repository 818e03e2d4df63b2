"""Hidden states of a model, as samples of where it has been."""

from typing import TypeVar

import numpy as np

MOST_STATES = 1024
"""States of a layer at most: of as many there are half a million differences."""

S = TypeVar("S")


def evenly(states: S) -> S:
    """Evenly spaced ones of states of shape (n, hidden_size), an array or a tensor; `MOST_STATES` of them at most."""
    n = len(states)  # type: ignore[arg-type]
    places = np.linspace(0, n - 1, min(n, MOST_STATES)).round().astype(np.int64)
    return states[places]  # type: ignore[index,no-any-return]
