from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from blackbox.config import make_config
from blackbox.sweeps.dealing import Dealt, asks_endpoint, needs_processor
from blackbox.sweeps.plan import PlannedRun
from blackbox.sweeps.pool import Began, Pool, Tell


@pytest.mark.parametrize(
    ("settings", "asks", "needs"),
    [
        ({"backend": "local"}, False, True),
        ({"backend": "fake"}, False, False),
        ({"backend": "openai"}, True, False),
        ({"backend": "anthropic", "proposer_model": "other"}, True, False),
        ({"backend": "local", "proposer_backend": "openai"}, True, True),
        ({"backend": "openai", "proposer_backend": "local"}, True, True),
        ({"backend": "openai", "space": "projected-instruction"}, True, True),  # a local model writes for it
        ({"backend": "openai", "proposer_backend": "none"}, True, False),
        ({"backend": "somebodys"}, False, True),
    ],
)
def test_what_a_run_needs_is_seen_from_its_settings(settings: dict[str, Any], asks: bool, needs: bool) -> None:
    config = make_config(settings)
    assert (asks_endpoint(config), needs_processor(config)) == (asks, needs)


class Kept(Pool):
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.given: list[list[int]] = []

    def run(self, runs: Sequence[PlannedRun], tell: Tell) -> None:
        self.given.append([run.seed for run in runs])
        for run in runs:
            tell(Began(run))


def planned(seed: int, backend: str) -> PlannedRun:
    return PlannedRun("t", "m", seed, Path("/"), {"backend": backend, "seed": seed})


def test_runs_that_ask_endpoints_go_to_one_pool_and_then_the_others_to_the_other_in_their_order() -> None:
    asking, others, told = Kept(), Kept(), list[Any]()
    runs = [planned(seed, ("openai", "local")[seed % 2]) for seed in range(5)]
    Dealt(asking, others).run(runs, told.append)
    assert (asking.given, others.given) == ([[0, 2, 4]], [[1, 3]])
    assert [event.run.seed for event in told] == [0, 2, 4, 1, 3]


def test_a_pool_without_runs_is_not_started() -> None:
    asking, others = Kept(), Kept()
    Dealt(asking, others).run([planned(1, "openai")], lambda event: None)
    assert (asking.given, others.given) == ([[1]], [])
