"""Executors from the settings."""

import logging
from typing import Any

import pytest

from blackbox.backends import FakeBackend
from blackbox.config import make_config
from blackbox.errors import SettingError
from blackbox.make_executor import THREADS, busy_workers, check_executor, make_executor
from blackbox.parallel import Serial
from blackbox.parallel.threads import Threads
from blackbox.scorer import Scorer
from blackbox.spaces import SoftSpace
from tests.blackbox.small import make_task


def scorer() -> Scorer:
    backend = FakeBackend()
    return Scorer(make_task(), backend, SoftSpace([1, 2], 0.1, backend.shape.hidden_size, dimension=4, seed=1))


def warnings(caplog: pytest.LogCaptureFixture, population: int, **settings: Any) -> list[str]:
    with caplog.at_level(logging.WARNING):
        make_executor(make_config(settings), scorer(), population).close()
    return [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize(
    ("settings", "population", "busy"),
    [
        ({}, 20, 1),
        ({"executor": "threads", "workers": 3}, 20, 3),
        ({"executor": "threads", "workers": 8}, 20, 4),
        ({"executor": "threads"}, 1000, THREADS),
        ({"executor": "ray"}, 1000, 1),
        ({"executor": "ray", "workers": 64, "slice_size": 1}, 20, 20),
    ],
)
def test_a_worker_is_busy_where_there_is_a_slice_for_it(settings: dict[str, Any], population: int, busy: int) -> None:
    assert busy_workers(make_config(settings), population) == busy


def test_workers_without_work_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    (told,) = warnings(caplog, 20, executor="threads", workers=8)
    assert told.startswith("8 workers, of which 4 have work: a generation of 20 candidates is cut into slices of 5")


def test_workers_that_are_busy_are_not(caplog: pytest.LogCaptureFixture) -> None:
    assert warnings(caplog, 20, executor="threads", workers=4) == []


def test_the_settings_name_the_executor() -> None:
    assert isinstance(make_executor(make_config({}), scorer(), 20), Serial)
    threads = make_executor(make_config({"executor": "threads", "workers": 2}), scorer(), 20)
    assert isinstance(threads, Threads)
    threads.close()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"workers": 2}, "executor 'serial' has one"),
        ({"executor": "threads", "gpus_per_worker": 0.5}, "'gpus_per_worker' is of executor 'ray'"),
        ({"ray_address": "auto"}, "'ray_address' is of executor 'ray'"),
    ],
)
def test_settings_that_say_nothing_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        check_executor(make_config(settings))
