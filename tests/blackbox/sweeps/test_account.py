"""What a sweep may spend, and what its journals say it has spent."""

from pathlib import Path
from typing import Any

import pytest

from blackbox.backends import Usage
from blackbox.backends.api import Answers
from blackbox.backends.api.answers import Facts
from blackbox.endpoints import run_of
from blackbox.errors import SettingError
from blackbox.run_folder import RunFolder
from blackbox.sweeps import read_spec
from blackbox.sweeps.account import bound_of, open_account
from blackbox.sweeps.budget import SweepBudget
from blackbox.sweeps.checks import Checked
from blackbox.sweeps.sweep import checked_plan
from tests.blackbox.sweeps.asking import asking_sweep
from tests.blackbox.sweeps.small import small_sweep

FREE = {"usd_per_million_prompt_tokens": None, "usd_per_million_completion_tokens": None}
CALL = Usage(requests=1, prompt_tokens=100, completion_tokens=10, usd=0.5)


def checked(folder: Path, values: dict[str, Any]) -> list[Checked]:
    return checked_plan(read_spec(values), folder / "sweep")


@pytest.mark.parametrize(
    ("changes", "settings", "message"),
    [
        ({"methods": {"a": {"backend": "fake"}}, "budget": {"max_requests": 3}}, {}, "ask endpoints, and none does"),
        (
            {"methods": {"a": {}, "b": {"backend": "fake"}}, "budget": {"seconds": 3.0}},
            {},
            "seconds limits runs that ask endpoints, and task / b / seed 1 asks none",
        ),
        ({"budget": {"max_usd": 3.0}}, FREE, "task / all / seed 1: [budget] max_usd needs the price of model 'some'"),
        ({"budget": {"max_request": 3}}, {}, "unknown limit of [budget] 'max_request'; did you mean 'max_requests'?"),
        ({"budget": {"max_usd": 0}}, {}, "greater than 0"),
    ],
)
def test_a_budget_that_cannot_be_kept_is_refused(
    tmp_path: Path, changes: dict[str, Any], settings: dict[str, Any], message: str
) -> None:
    values = asking_sweep(tmp_path, **changes)
    values["settings"] |= {"base_url": "http://127.0.0.1:1/v1", **settings}
    with pytest.raises(SettingError) as caught:
        checked(tmp_path, values)
    assert message in str(caught.value)


def test_usd_of_a_model_that_writes_need_its_price(tmp_path: Path) -> None:
    values = small_sweep(tmp_path, methods={"a": {}}, budget={"max_usd": 3.0})
    values["settings"] |= {"proposer_backend": "openai", "proposer_model": "some", "proposer_base_url": "http://h/v1"}
    with pytest.raises(SettingError, match="needs the price of model 'some'"):
        checked(tmp_path, values)


def spend(one: Checked, usage: Usage, *, in_flight: Usage | None = None) -> None:
    """What a session leaves in a run's journal; one that is killed leaves what was in flight."""
    one.run.folder.mkdir(parents=True, exist_ok=True)
    with Answers(RunFolder(one.run.folder).answers, run=run_of(one.config)) as answers:
        answers.charge(usage, facts=Facts("task"))
        if in_flight:
            answers.in_flight.begin(in_flight)


def test_what_earlier_sessions_spent_is_read_from_the_journals_of_all_runs(tmp_path: Path) -> None:
    runs = checked(tmp_path, asking_sweep(tmp_path))
    assert open_account(SweepBudget(), runs, elapsed=0.0).spent == Usage()
    for one in runs:
        spend(one, CALL)
    account = open_account(SweepBudget(), runs, elapsed=7.0)
    assert account.spent == CALL + CALL
    assert account.elapsed >= 7.0


def test_what_was_in_flight_in_a_kill_counts_once_and_never_for_more_than_was_left(tmp_path: Path) -> None:
    runs = checked(tmp_path, asking_sweep(tmp_path))
    for one in runs:
        spend(one, CALL, in_flight=CALL)
    budget = SweepBudget(max_requests=3)
    for _ in range(2):  # the first time it is written down
        account = open_account(budget, runs, elapsed=0.0)
        assert account.spent.requests == 3
        assert account.spent.prompt_tokens == 400
    assert open_account(SweepBudget(), runs, elapsed=0.0).spent.requests == 3


def test_runs_that_share_a_file_of_answers_are_told_apart(tmp_path: Path) -> None:
    values = asking_sweep(tmp_path)
    values["settings"]["answers"] = str(tmp_path / "answers.sqlite")
    runs = checked(tmp_path, values)
    with Answers(tmp_path / "answers.sqlite", run="another") as answers:
        answers.charge(CALL, facts=Facts("task"))
    with Answers(tmp_path / "answers.sqlite", run=run_of(runs[1].config)) as answers:
        answers.charge(CALL, facts=Facts("task"))
    assert open_account(SweepBudget(), runs, elapsed=0.0).spent == CALL


def test_the_bound_is_the_sweeps_or_that_of_all_runs_together_if_less(tmp_path: Path) -> None:
    methods = {"a": {"max_requests": 10, "max_usd": 2.0}, "b": {"max_requests": 20}}
    values = asking_sweep(tmp_path, methods=methods)
    values["settings"]["seconds"] = 5.0
    runs = checked(tmp_path, values)
    assert bound_of(SweepBudget(max_usd=3.0, seconds=9.0), runs) == SweepBudget(
        max_requests=60, max_usd=3.0, seconds=9.0
    )
    assert bound_of(SweepBudget(max_requests=59), runs).max_requests == 59
    assert bound_of(SweepBudget(max_requests=61), runs).max_requests == 60
