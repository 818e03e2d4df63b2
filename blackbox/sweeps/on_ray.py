"""Workers of Ray, on one machine or a cluster whose machines all see the sweep's folder and its files."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from blackbox.parallel.ray_pool import RayPool
from blackbox.sweeps.plan import PlannedRun
from blackbox.sweeps.pool import Began, Ended, Pool, Tell
from blackbox.sweeps.worker import Worker


class RayRuns(Pool):
    """See the module. A run whose worker is lost is gone on with by another; three such losses end it with an error.

    Args:
        count: of workers; None: as many as the cluster has room for.
        cpus, gpus: of each.
        address, package: see `blackbox.parallel.cluster.connected`.
    """

    def __init__(
        self,
        count: int | None,
        *,
        cpus: float = 1,
        gpus: float = 0,
        address: str | None = None,
        package: str | None = None,
    ) -> None:
        self._make = partial(
            RayPool[Any],
            None,
            count,
            cpus=cpus,
            gpus=gpus,
            address=address,
            package=package,
            settle=_worker,
            slow=math.inf,  # two workers in one folder would be in each other's way
            in_flight=1,
        )

    def run(self, runs: Sequence[PlannedRun], tell: Tell) -> None:
        workers = self._make()
        try:
            ended = workers.map(_jobs(runs, tell), in_order=False, give_up=_given_up)
            for number, error in ended:
                tell(Ended(runs[number], error))
        finally:
            workers.close()


def _jobs(runs: Sequence[PlannedRun], tell: Tell) -> Iterator[Callable[[Worker], tuple[int, str | None]]]:
    for number, run in enumerate(runs):
        tell(Began(run))
        yield partial(_attempt, number=number, run=run)


def _worker(nothing: None) -> Worker:
    """Made where the actor is."""
    return Worker()


def _attempt(worker: Worker, number: int, run: PlannedRun) -> tuple[int, str | None]:
    return number, worker.attempt(run)


def _given_up(job: Any, why: str) -> tuple[int, str | None]:
    return job.keywords["number"], f"its workers were lost: {why}"
