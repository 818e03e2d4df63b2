"""Reading a saved state: JSON values in, checked values out.

JSON as Python writes it keeps a float64 bit for bit (shortest decimal that reads back the same) and knows Infinity.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from blackbox.optimizers.errors import StateError

T = TypeVar("T")


def take(state: object, key: str, kind: type[T]) -> T:
    """`state[key]`, which must be a `kind`.

    Raises:
        StateError: `state` is no mapping, lacks `key`, or holds something else there.
    """
    if not isinstance(state, Mapping):
        raise StateError(f"a state must be a mapping, got {type(state).__name__}")
    if key not in state:
        raise StateError(f"the state lacks {key!r}; it is damaged or not from this package")
    value = state[key]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise StateError(f"{key!r} in the state must be a {kind.__name__}, got {type(value).__name__}")
    return value


def array(value: object, name: str, *, rank: int, width: int | None = None) -> NDArray[np.float64]:
    """`value`, nested lists of numbers, as a read-only array of `rank` axes, at least one row, the last axis `width`.

    Raises:
        StateError: Another shape, or something that is no number.
    """
    try:
        numbers = np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise StateError(f"{name!r} in the state must hold numbers: {error}") from error
    if numbers.ndim != rank or numbers.size == 0 or (width is not None and numbers.shape[-1] != width):
        raise StateError(f"{name!r} in the state has shape {numbers.shape}, which does not fit this optimizer")
    numbers.setflags(write=False)
    return numbers


def generator(value: object, name: str) -> np.random.Generator:
    """A generator that goes on where the saved one stood.

    Raises:
        StateError: `value` is no state of `numpy.random.PCG64`.
    """
    bits = np.random.PCG64(0)
    try:
        bits.state = value  # type: ignore[assignment]  # numpy checks it
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise StateError(f"{name!r} in the state is no state of numpy's PCG64: {error}") from error
    return np.random.Generator(bits)


def refuse_differences(saved: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    """Compares what a state was made with to what this optimizer has.

    Raises:
        StateError: Something differs; the message names each setting with both values.
    """
    keys = [key for key in {**here, **saved} if saved.get(key) != here.get(key)]
    if keys:
        told = "; ".join(
            f"{key} is {_short(saved.get(key))} in the state, {_short(here.get(key))} here" for key in keys
        )
        raise StateError(f"the state was made by another optimizer: {told}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
