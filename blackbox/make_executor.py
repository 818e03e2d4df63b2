"""Executors by name."""

import logging

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


def make_executor(config: Config, scorer: Scorer) -> Executor[Scorer]:
    """The executor that the settings name, with its workers; the caller closes it.

    Raises:
        ExecutorError: Ray is not installed, no cluster answers, or the model or the space cannot be sent to a worker.
    """
    if config.executor == "threads":
        from blackbox.parallel.threads import Threads

        return Threads(scorer, config.workers or THREADS)
    if config.executor == "ray" and not isinstance(scorer.backend, MeteredBackend):
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
