import math

import numpy as np
import pytest

from benchmarks import racing
from benchmarks.racing import ACCURACY, Setting, mean_and_error, one_try


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_accuracies_are_kept_whatever_rows_share(rho: float) -> None:
    rng, setting = np.random.default_rng(0), Setting(0.15, rho)
    best_right, others_right, together = [], [], []
    for _ in range(300):
        losses, best = setting.losses(rng)
        others = np.delete(losses, best, axis=0)
        best_right.append(1 - losses[best].mean())
        others_right.append(1 - others.mean())
        together.append(np.corrcoef(others)[0, 1])
    assert np.mean(best_right) == pytest.approx(ACCURACY + 0.15, abs=0.01)
    assert np.mean(others_right) == pytest.approx(ACCURACY, abs=0.01)
    assert (np.mean(together) > 0.2) == (rho > 0)


def test_a_mean_has_the_error_of_independent_tries() -> None:
    assert mean_and_error(np.array([0.0, 1.0, 0.0, 1.0])) == (0.5, pytest.approx(math.sqrt(1 / 3) / 2))


def test_a_try_tells_who_found_the_best_and_for_what() -> None:
    whole, raced, calls, same = one_try(Setting(0.39, 0.0), np.random.default_rng(0))
    assert (whole, raced, same) == (True, True, True)
    assert 0.1 <= calls < 0.5


def test_a_quick_look_has_a_line_for_each_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(racing, "QUICK", 2)
    figures = racing.run(quick=True)
    assert list(figures) == [setting.name for setting in racing.SETTINGS]
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(figures)
