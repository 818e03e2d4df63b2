"""Which pool does a run: models behind endpoints are waited for, others need a processor of their own."""

from collections.abc import Sequence

from blackbox.config import NOBODY, Config, make_config
from blackbox.proposing.writers import ENDPOINTS
from blackbox.sweeps.plan import PlannedRun
from blackbox.sweeps.pool import Pool, Tell


def asks_endpoint(config: Config) -> bool:
    """Whether a run asks a model behind an endpoint, for its task or for new instructions."""
    return bool(_backends(config) & set(ENDPOINTS))


def needs_processor(config: Config) -> bool:
    """Whether it has a model in its own process."""
    return bool(_backends(config) - {*ENDPOINTS, "fake"})


def _backends(config: Config) -> set[str]:
    return {config.backend, config.proposer_backend or config.backend} - {NOBODY}


class Dealt(Pool):
    """Two pools, one after the other.

    Args:
        asking: does the runs that ask endpoints.
        others: does the rest.
    """

    def __init__(self, asking: Pool, others: Pool) -> None:
        self._asking, self._others = asking, others

    def run(self, runs: Sequence[PlannedRun], tell: Tell) -> None:
        asking, others = list[PlannedRun](), list[PlannedRun]()
        for run in runs:
            (asking if asks_endpoint(make_config(run.settings)) else others).append(run)
        for pool, part in ((self._asking, asking), (self._others, others)):
            if part:
                pool.run(part, tell)
