import pytest

from blackbox.budget import Budget
from blackbox.errors import BudgetError, SettingError


@pytest.mark.parametrize("evaluations", [0, -5])
def test_evaluations_below_one_are_refused(evaluations: int) -> None:
    with pytest.raises(SettingError, match=f"evaluations must be at least 1, got {evaluations}"):
        Budget(evaluations)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_seconds_that_are_not_positive_and_finite_are_refused(seconds: float) -> None:
    with pytest.raises(SettingError, match="seconds must be positive and finite"):
        Budget(10, seconds)


def test_a_budget_that_ends_before_the_first_generation_is_refused_with_what_is_needed() -> None:
    Budget(23).check_start(23)
    with pytest.raises(BudgetError, match="22 evaluations ends before .* need 23"):
        Budget(22).check_start(23)
