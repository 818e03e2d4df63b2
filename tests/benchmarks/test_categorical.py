import numpy as np
import pytest

from benchmarks import categorical
from benchmarks.categorical import DOMAIN, FAILS, KINDS, NOISE, Landscape, one_try


def combinations(count: int) -> np.ndarray:
    sizes = DOMAIN.sizes or ()
    return np.random.default_rng(0).integers(sizes, size=(count, len(sizes))).astype(float)


@pytest.mark.parametrize("kind", KINDS)
def test_true_losses_have_a_standard_deviation_of_about_one_and_are_the_same_each_time(kind: str) -> None:
    landscapes = [Landscape(kind, seed) for seed in range(80)]
    asked = combinations(60)
    variances = [landscape.true(asked).var() for landscape in landscapes]
    assert np.mean(variances) == pytest.approx(1.0, abs=0.3)
    assert np.array_equal(landscapes[0].true(asked), landscapes[0].true(asked))


def test_a_demonstration_counts_once_in_whichever_slot() -> None:
    slots = Landscape("slots", 1)
    rows = ([1, 2, 3, 4], [4, 3, 2, 1], [1, 1, 2, 3], [1, 2, 2, 3])
    one, other, twice, more = slots.true(np.array([[0, 0, 0, *four] for four in rows], dtype=float))
    assert one == pytest.approx(other)
    assert twice == pytest.approx(more)


def test_the_best_third_is_told_with_its_own_noise_and_the_others_stay_behind() -> None:
    landscape, asked = Landscape("additive", 1), combinations(3000)
    first, again = landscape.told(asked), landscape.told(asked)
    assert np.mean(np.isinf(first)) == pytest.approx(FAILS, abs=0.01)
    both = (first == again) & np.isfinite(first)
    assert both.mean() > 0.2  # those of the best third both times
    own = (first - landscape.true(asked))[both]
    assert own.std() < 1.2 * NOISE


def test_a_try_selects_what_is_better_than_a_combination_drawn() -> None:
    lowest, looked_at = one_try(categorical._random, "additive", 120, 1)
    assert lowest < 0
    assert looked_at < 0


def test_a_quick_look_has_figures_for_each_landscape_and_budget(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(categorical, "QUICK", 2)
    monkeypatch.setattr(categorical, "TRIES", {30: 2})
    monkeypatch.setattr(categorical, "OTHERS", {"categorical": categorical.OTHERS["categorical"]})
    figures = categorical.run(quick=True)
    assert list(figures) == [f"{kind}, 30 evaluations" for kind in KINDS]
    assert capsys.readouterr().out.count("categorical") == len(KINDS)
