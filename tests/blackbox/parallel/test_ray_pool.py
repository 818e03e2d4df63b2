"""RayPool on a real cluster; workers and nodes are really killed."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blackbox.errors import ExecutorError, WorkersLostError
from blackbox.parallel.cluster import connected
from blackbox.parallel.ray_pool import RayPool
from tests.blackbox.parallel.contract import ExecutorContract, MakeExecutor, add

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(600)]

Make = Callable[..., RayPool[Any]]


@pytest.fixture
def pool(cluster: Any) -> Iterator[Make]:
    made: list[RayPool[Any]] = []

    def one(worker: Any, count: int = 2, **options: Any) -> RayPool[Any]:
        made.append(RayPool(worker, count, **{"address": cluster.address, **options}))
        return made[-1]

    yield one
    for executor in made:
        executor.close()


def pid(worker: object) -> int:
    return os.getpid()


def thread(worker: object) -> tuple[int, int]:
    return os.getpid(), threading.get_ident()


def settled(worker: object) -> tuple[int, int]:
    return thread(worker)


def settled_in(worker: object) -> object:
    return worker


def die(worker: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(worker: object, mark: Path) -> str:
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "survived"


def note(worker: object, log: Path) -> int:
    with log.open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(0.05)
    return 1


def first_is_slow(worker: object, mark: Path) -> str:
    if not mark.exists():
        mark.touch()
        time.sleep(600)
    return "done"


class TestContract(ExecutorContract):
    @pytest.fixture
    def make(self, pool: Make) -> MakeExecutor:
        return pool


class Unpicklable:
    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("it holds a socket")


class Broken:
    """Cannot be made again in a worker."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _broken, ()


def _broken() -> None:
    raise RuntimeError("no such device here")


def test_the_jobs_are_shared_out(pool: Make) -> None:
    found = set[int]()
    for process in pool(0, 3).map(pid for _ in range(100_000)):
        found.add(process)
        if len(found) == 3:
            return
    raise AssertionError(found)


def test_a_worker_does_all_its_jobs_in_the_thread_that_made_it(pool: Make) -> None:
    executor = pool(None, 1, settle=settled)
    assert set(executor.map([thread] * 40)) == set(executor.map([settled_in]))


def test_arrays_of_the_worker_are_shared_not_copied(pool: Make) -> None:
    matrix = np.ones(3_000_000)
    assert list(pool(matrix).map([is_shared] * 2)) == [True, True]


def is_shared(worker: np.ndarray) -> bool:  # type: ignore[type-arg]
    """The object store hands out views of its memory, which nobody may write to."""
    return not worker.flags.owndata and not worker.flags.writeable


def test_a_job_whose_worker_dies_is_done_by_another(
    pool: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    executor = pool(10)
    jobs = [
        partial(add, number=0),
        partial(die_once, mark=tmp_path / "died"),
        *[partial(add, number=n) for n in (1, 2)],
    ]
    with caplog.at_level(logging.WARNING):
        assert list(executor.map(jobs)) == [10, "survived", 11, 12]
    assert "a worker is lost" in caplog.text


def test_workers_that_are_killed_from_outside_are_replaced_and_every_job_has_one_answer(
    pool: Make, tmp_path: Path
) -> None:
    executor, log = pool(0, 2), tmp_path / "log"
    answers = executor.map(partial(note, log=log) for _ in range(60))
    count = 0
    for count, answer in enumerate(answers, start=1):
        assert answer == 1
        if count in (10, 30):
            os.kill(int(log.read_text().split()[-1]), signal.SIGKILL)
    assert count == 60
    assert len(set(log.read_text().split())) >= 4


def test_a_job_that_kills_every_worker_ends_the_run(pool: Make) -> None:
    executor = pool(0, 2)
    with pytest.raises(WorkersLostError, match="taken 3 workers with it"):
        list(executor.map([die]))
    assert list(executor.map([partial(add, number=4)])) == [4]


def test_a_slow_worker_is_helped_out(pool: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    executor = pool(0, 2, slow=1.0)
    assert list(executor.map([partial(add, number=n) for n in range(4)])) == [0, 1, 2, 3]
    with caplog.at_level(logging.WARNING):
        assert list(executor.map([partial(first_is_slow, mark=tmp_path / "slow")])) == ["done"]
    assert "a worker is slow" in caplog.text


def test_a_worker_that_cannot_be_pickled_is_named(pool: Make) -> None:
    with pytest.raises(ExecutorError, match="cannot be sent to Ray: .*socket"):
        pool(Unpicklable())


def test_a_worker_that_cannot_be_made_again_ends_the_run(pool: Make) -> None:
    with pytest.raises(WorkersLostError, match="workers do not start: .*no such device here"):
        list(pool(Broken()).map([pid]))


def test_a_cluster_without_room_is_waited_for_and_told(pool: Make) -> None:
    with pytest.raises(WorkersLostError, match="no room for one with 64 CPU"):
        list(pool(0, cpus=64, patience=3.0).map([pid]))


def test_nodes_come_and_go_while_jobs_are_done(cluster: Any, pool: Make, tmp_path: Path) -> None:
    """The head has room for two of four workers; a node is added for the others, then killed."""
    executor, log = pool(0, 4, cpus=2), tmp_path / "log"
    node, count = None, 0
    for count, _ in enumerate(executor.map(partial(note, log=log) for _ in range(200)), start=1):
        if count == 10:
            assert len(set(log.read_text().split())) == 2
            node = cluster.add_node(num_cpus=4, object_store_memory=100_000_000)
            deadline = time.monotonic() + 60
            while sum(actor.starting is None for actor in executor._actors) < 4 and time.monotonic() < deadline:
                executor._wait()
        if count == 100:
            cluster.remove_node(node, allow_graceful=False)
    assert count == 200
    assert len(set(log.read_text().split())) >= 4


def test_the_handler_of_sigterm_stays(cluster: Any) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with connected(cluster.address):
        assert signal.getsignal(signal.SIGTERM) is before


def test_no_cluster_is_one_line() -> None:
    with pytest.raises(ExecutorError, match="no connection to Ray at 127.0.0.1:9") as raised:
        with connected("127.0.0.1:9"):
            raise AssertionError
    assert "\n" not in str(raised.value)
