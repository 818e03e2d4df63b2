from typing import Any

import numpy as np
import pytest

from blackbox.optimizers import Domain, Enumeration, SearchError, SettingError, StateError


def test_a_domain_has_the_dimension_of_its_blocks() -> None:
    assert Domain((3, 4)).dimension == 7
    assert Domain((1, 2), sizes=(5, 9, 9)).dimension == 3


@pytest.mark.parametrize(
    ("blocks", "sizes", "message"),
    [
        ((2, 0), None, r"blocks\[1\] must be a whole number of at least 1, got 0"),
        ((1,), (0,), r"sizes\[0\] must be a whole number of at least 1, got 0"),
        ((1, 1), (1, 1), "sizes must leave a choice"),
        ((1,), "12", "sizes must be a sequence of whole numbers, got '12'"),
        ((1, 1), (2, 2, 2), "blocks must add up to the 3 variables that sizes has, got 2"),
        ((1, 2), (5, 9, 8), r"blocks\[1\] has sizes \(9, 8\); give those that differ a block of their own"),
    ],
)
def test_blocks_and_sizes_that_do_not_fit_are_refused(blocks: Any, sizes: Any, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Domain(blocks, sizes)


class Careless(Enumeration):
    """Asks for what is no choice."""

    wrong = np.zeros((1, 2))

    def _ask(self) -> Any:
        return self.wrong


@pytest.mark.parametrize("wrong", [[0.5, 0.0], [2.0, 0.0], [0.0, -1.0]])
def test_candidates_that_are_no_choices_are_never_handed_out(wrong: list[float]) -> None:
    optimizer = Careless((2, 3))
    optimizer.wrong = np.array([wrong])
    with pytest.raises(SearchError, match=r"Careless asks candidates that are no whole numbers below \(2, 3\)"):
        optimizer.ask()


def test_a_state_of_other_sizes_is_refused() -> None:
    with pytest.raises(StateError, match=r"sizes is \[2, 3\] in the state, \[3, 2\] here"):
        Enumeration((3, 2)).load_state_dict(Enumeration((2, 3)).state_dict())
