"""Executors by name."""

import logging
import math

from blackbox.backends import MeteredBackend
from blackbox.config import OF_WORKERS, Config
from blackbox.errors import SettingError
from blackbox.parallel.executor import Executor, Serial
from blackbox.scorer import Scorer, on_gpu

log = logging.getLogger(__name__)

THREADS = 8


def check_executor(config: Config) -> None:
    """Refuse settings that say nothing, before anything is loaded.

    Raises:
        SettingError: workers where there is one only, or settings of Ray without it.
    """
    if config.executor == "serial" and (config.workers or 1) > 1:
        raise SettingError("setting 'workers': executor 'serial' has one; use executor 'ray', or 'threads'")
    if config.executor != "ray":
        for name in OF_WORKERS:
            if name != "workers" and getattr(config, name):
                raise SettingError(f"setting {name!r} is of executor 'ray', and the executor is {config.executor!r}")


def busy_workers(config: Config, population: int) -> int:
    """How many workers have something to do in a generation of `population` candidates, 1 at least.

    Without a number of them a cluster's room is not known before it is joined: one counts.
    """
    workers = config.workers or (THREADS if config.executor == "threads" else 1)
    return max(1, min(workers, math.ceil(population / config.slice_size)))


def make_executor(config: Config, scorer: Scorer, population: int) -> Executor[Scorer]:
    """The executor that the settings name, with its workers; the caller closes it.

    Args:
        config: the settings.
        scorer: what each worker has.
        population: candidates of a generation; more workers than its slices are warned of.

    Raises:
        ExecutorError: Ray is not installed, no cluster answers, or the model or the space cannot be sent to a worker.
    """
    metered = isinstance(scorer.backend, MeteredBackend)
    if (config.workers or 1) > (busy := busy_workers(config, population)) and not metered:
        log.warning(
            "%d workers, of which %d have work: a generation of %d candidates is cut into slices of %d; a larger "
            "population or smaller slices (slice_size) keep more of them busy",
            config.workers, busy, population, config.slice_size,
        )  # fmt: skip
    if config.executor == "threads":
        from blackbox.parallel.threads import Threads

        return Threads(scorer, config.workers or THREADS)
    if config.executor == "ray" and not metered:
        from blackbox.parallel.ray_pool import RayPool

        return RayPool(
            scorer,
            config.workers,
            cpus=config.threads_of_worker or 1,
            gpus=config.gpus_per_worker,
            address=config.ray_address,
            package=config.ray_package,
            settle=on_gpu if config.gpus_per_worker else None,
            patience=config.worker_seconds,
        )
    if config.executor == "ray":
        log.warning(
            "an endpoint is asked from this process, which keeps its limits and its journal in one place; "
            "`parallel` says how many calls are in flight"
        )
    return Serial(scorer)
