import math

import numpy as np
import pytest

from benchmarks import islands
from benchmarks.islands import BASE, DIMENSION, FUNCTIONS, SEARCHES, one_try, shifted_and_rotated, two_funnels


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_lowest_loss_is_0_and_stands_at_the_shift(name: str) -> None:
    shift = np.random.default_rng([5, 1]).standard_normal(DIMENSION)
    around = np.random.default_rng(0).standard_normal((200, DIMENSION))
    loss = shifted_and_rotated(FUNCTIONS[name], 5)
    assert loss(shift[None])[0] == pytest.approx(0.0, abs=1e-9)
    assert loss(shift + around * 10.0 ** np.arange(-2, 2, 0.02)[:, None]).min() > 0


def test_the_wider_funnel_ends_as_high_above_the_optimum_as_there_are_numbers() -> None:
    beside = two_funnels(np.full((1, DIMENSION), -3.0) + 0.01 * np.eye(DIMENSION))
    assert two_funnels(np.full((1, DIMENSION), -3.0))[0] == pytest.approx(DIMENSION)
    assert beside.min() > DIMENSION


@pytest.mark.parametrize("search", SEARCHES)
def test_no_search_draws_the_optimum_by_the_functions_own_seed(search: str) -> None:
    shift = np.random.default_rng([5, 1]).standard_normal(DIMENSION)
    asked = SEARCHES[search](5).ask()
    assert np.linalg.norm(asked - shift, axis=1).min() > 1.0


def test_a_try_tells_the_lowest_loss_within_each_budget() -> None:
    first, second, third = one_try(BASE, "schaffer", 1, (20, 200, 1200))
    assert first > second > third
    asked = SEARCHES[BASE](1).ask()
    assert first == math.log10(shifted_and_rotated(FUNCTIONS["schaffer"], 1)(asked).min())


def test_a_quick_look_has_figures_for_each_function_and_search(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(islands, "QUICK", (80, 160))
    figures = islands.run(quick=True)
    assert list(figures) == list(FUNCTIONS)
    of_one = figures["rastrigin"]
    assert isinstance(of_one, dict)
    assert list(of_one) == ["tries", *SEARCHES]
    assert capsys.readouterr().out.count("islands, no exchange") == len(FUNCTIONS)
