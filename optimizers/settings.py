"""Checks of constructor arguments, worded the same way for every optimizer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blackbox.optimizers.errors import SettingError


def whole_number(name: str, value: object, *, at_least: int) -> int:
    """`value` as an int.

    Raises:
        SettingError: It is no whole number, or below `at_least`.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < at_least:
        raise SettingError(f"{name} must be a whole number of at least {at_least}, got {value!r}")
    return int(value)


def sizes(name: str, value: object) -> tuple[int, ...]:
    """`value` as a tuple of numbers of categories.

    Raises:
        SettingError: It is no sequence of whole numbers of at least 1, or leaves no choice.
    """
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise SettingError(f"{name} must be a sequence of whole numbers, got {value!r}")
    checked = tuple(whole_number(f"{name}[{i}]", size, at_least=1) for i, size in enumerate(value))
    if math.prod(checked) < 2:
        raise SettingError(f"{name} must leave a choice: at least two combinations, got {checked}")
    return checked


def step(name: str, value: object) -> float:
    """`value` as a finite float above 0.

    Raises:
        SettingError: It is no number, not finite, or not above 0.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value) or value <= 0:
        raise SettingError(f"{name} must be a finite number above 0, got {value!r}")
    return float(value)


def one_of(name: str, value: str, known: Sequence[str]) -> str:
    """`value` itself.

    Raises:
        SettingError: It is not among the `known`.
    """
    if value not in known:
        raise SettingError(f"{name} must be one of {', '.join(map(repr, known))}, got {value!r}")
    return value


def start(name: str, value: ArrayLike | None, dimension: int) -> NDArray[np.float64]:
    """A read-only copy of `value`, shape (dimension,); zeros for None.

    Raises:
        SettingError: Another shape, or an element that is no finite number.
    """
    try:
        point = np.zeros(dimension) if value is None else np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise SettingError(f"{name} must hold {dimension} numbers: {error}") from error
    if point.shape != (dimension,):
        raise SettingError(f"{name} must have shape ({dimension},), got {point.shape}")
    if not np.isfinite(point).all():
        i = int(np.flatnonzero(~np.isfinite(point))[0])
        raise SettingError(f"{name} must be finite, element {i} is {point[i]}")
    point.setflags(write=False)
    return point
