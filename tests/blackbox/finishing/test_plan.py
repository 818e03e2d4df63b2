from typing import Any

import pytest

from blackbox import tune
from blackbox.backends import FakeBackend
from blackbox.config import make_config
from blackbox.errors import BudgetError, SettingError
from blackbox.finishing.plan import Plan, attempt_price
from tests.blackbox.small import make_target_task, make_task

TEXTS = {"backend": "fake", "space": "texts", "prompts": ["a", "classify"], "population": 2, "evaluations": 100}


def plan(**settings: Any) -> Plan:
    return Plan.of(make_config(settings))


def test_nothing_is_planned_by_default() -> None:
    assert not plan()
    assert plan(ensemble=2)
    assert plan(calibration="auto").calibrations == ("contextual", "batch")


def test_an_attempt_counts_a_look_for_each_member_and_what_it_is_calibrated_by() -> None:
    """16 dev rows are two times the 8 training rows, and so are 3 inputs of 2."""
    task = make_task(train=8, dev=16)
    assert [attempt_price(task, way, 3) for way in ("off", "contextual", "batch")] == [6, 9, 9]
    assert attempt_price(make_task(train=2, dev=2), "contextual", 1) == 3
    assert plan(ensemble=3, calibration="auto").price(task) == 6 + 9 + 9
    assert plan(calibration="batch").price(task) == 3
    assert plan().price(task) == 0


@pytest.mark.parametrize(
    ("task", "settings", "message"),
    [
        (make_task(), {**TEXTS, "ensemble": 1}, "'ensemble': must be 0, or at least 2"),
        (make_task(dev=0), {**TEXTS, "ensemble": 2}, "'ensemble': is kept only where it is clearly better on dev rows"),
        (make_task(dev=0), {**TEXTS, "calibration": "auto"}, "'calibration': is kept only where"),
        (make_target_task(), {**TEXTS, "ensemble": 2}, "'ensemble': needs label words"),
        (make_target_task(), {**TEXTS, "calibration": "batch"}, "'calibration': needs label words"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_spent(
    task: Any, settings: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeBackend, "score", lambda *_: pytest.fail("something was spent"))
    with pytest.raises(SettingError, match=message):
        tune(task, **settings)


@pytest.mark.parametrize("change", [{"ensemble": 6}, {"ensemble": -1}, {"calibration": "on"}])
def test_settings_out_of_range_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=f"setting '{next(iter(change))}'"):
        make_config(change)


def test_a_budget_without_room_for_it_is_refused_by_what_is_needed() -> None:
    tune(make_task(), **{**TEXTS, "evaluations": 7})
    with pytest.raises(BudgetError, match="need 13"):
        tune(make_task(), **{**TEXTS, "evaluations": 12, "ensemble": 2, "calibration": "batch"})
