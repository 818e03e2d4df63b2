"""Rows take turns in templates."""

from collections import Counter

import pytest

from blackbox.turns import turns


def test_rows_of_a_label_take_turns_wherever_they_stand() -> None:
    assert turns([0, 0, 0, 0], 2) == [0, 1, 0, 1]
    assert turns([0, 1, 0, 1, 0, 1], 3) == [0, 1, 1, 2, 2, 0]


@pytest.mark.parametrize("count", [2, 3, 5])
def test_no_template_tells_the_label(count: int) -> None:
    labels = [number % 2 for number in range(4 * count)]
    met = Counter(zip(labels, turns(labels, count), strict=True))
    assert set(met.values()) == {2}
    assert len(met) == 2 * count
