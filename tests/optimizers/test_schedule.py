import numpy as np
import pytest

from blackbox.optimizers import SettingError, StateError
from blackbox.optimizers.schedule import SensitivitySchedule, spread_out, turns

from .contract import json_round_trip

ALL = [True, True, True]


def taken(schedule: SensitivitySchedule, spreads: list[float], count: int) -> list[int]:
    """The blocks that have the next turns, where the losses of block i are +-spreads[i]."""
    blocks = []
    for _ in range(count):
        blocks.append(schedule.block)
        schedule.told(np.array([-1.0, 1.0]) * spreads[schedule.block], ALL)
    return blocks


@pytest.mark.parametrize(
    ("shares", "count", "expected"),
    [
        ([1.0, 1.0, 2.0], 4, [1, 1, 2]),
        ([0.5, 0.3, 0.2], 4, [2, 1, 1]),  # quotas 2.0, 1.2, 0.8
        ([1.0, 1.0, 1.0], 4, [2, 1, 1]),  # equal remainders: the earlier block
        ([0.0, 5.0, 0.0], 3, [0, 3, 0]),
        ([0.0, 0.0, 0.0], 3, [0, 0, 0]),
    ],
)
def test_turns_are_given_by_largest_remainders(shares: list[float], count: int, expected: list[int]) -> None:
    assert turns(np.array(shares), count) == expected


def test_turns_of_a_block_are_spread_out() -> None:
    assert spread_out([4, 1, 0, 2]) == [0, 3, 0, 1, 0, 3, 0]


def test_a_pass_over_all_blocks_comes_first_and_then_turns_in_proportion_to_their_spreads() -> None:
    schedule = SensitivitySchedule(3)
    assert schedule.probing
    assert taken(schedule, [0.1, 2.0, 1.0], 3) == [0, 1, 2]
    assert not schedule.probing
    assert schedule.spreads == (0.1, 2.0, 1.0)
    assert sorted(taken(schedule, [0.1, 2.0, 1.0], 3)) == [1, 1, 2]


def test_every_so_many_rounds_one_is_in_turn() -> None:
    schedule = SensitivitySchedule(3, refresh=2)
    taken(schedule, [0.0, 1.0, 0.0], 3)
    assert taken(schedule, [0.0, 1.0, 0.0], 9) == [1, 1, 1, 0, 1, 2, 1, 1, 1]


def test_a_spread_that_changes_changes_the_turns() -> None:
    schedule = SensitivitySchedule(3, refresh=2)
    taken(schedule, [0.0, 1.0, 0.0], 6)
    assert taken(schedule, [6.0, 0.1, 0.0], 6) == [0, 1, 2, 0, 0, 0]


def test_where_no_loss_moves_blocks_come_in_turn() -> None:
    schedule = SensitivitySchedule(3)
    assert taken(schedule, [0.0, 0.0, 0.0], 9) == [0, 1, 2] * 3


def test_failures_do_not_count_as_spread() -> None:
    schedule = SensitivitySchedule(3)
    for losses in ([np.inf, 1.0, 3.0], [np.inf, np.inf], [np.inf, 2.0]):
        schedule.told(np.array(losses), ALL)
    assert schedule.spreads == (1.0, 0.0, 0.0)


def test_a_block_that_has_stopped_has_no_further_turns_until_all_have() -> None:
    schedule = SensitivitySchedule(3)
    for losses in ([0.0, 9.0], [0.0, 1.0], [0.0, 1.0]):
        schedule.told(np.array(losses), ALL)
    assert schedule.block == 0
    schedule.told(np.array([0.0, 9.0]), [False, True, False])
    assert [schedule.block for _ in range(3) if not schedule.told(np.array([0.0, 1.0]), [False, True, False])] == [
        1
    ] * 3
    schedule.told(np.array([0.0, 1.0]), [False, False, False])
    assert schedule.block in range(3)


def test_a_loaded_schedule_goes_on_as_the_other_would() -> None:
    spreads = [0.3, 2.0, 1.1]
    for told in range(8):
        schedule = SensitivitySchedule(3, refresh=2)
        taken(schedule, spreads, told)
        other = SensitivitySchedule(3, refresh=2).loaded(json_round_trip(schedule.state()))
        assert other.probing == schedule.probing
        assert taken(other, spreads, 12) == taken(schedule, spreads, 12)


@pytest.mark.parametrize("damage", [{"queue": []}, {"queue": [3]}, {"spreads": [0.0]}, {"round": None}])
def test_a_damaged_state_is_refused(damage: dict[str, object]) -> None:
    with pytest.raises(StateError):
        SensitivitySchedule(3).loaded({**SensitivitySchedule(3).state(), **damage})


@pytest.mark.parametrize("setting", ["probes", "refresh"])
def test_a_setting_that_cannot_work_is_refused_by_name(setting: str) -> None:
    with pytest.raises(SettingError, match=f"{setting} must be a whole number of at least 2, got 1"):
        SensitivitySchedule(3, **{setting: 1})
