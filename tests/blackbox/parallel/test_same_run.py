"""Results do not depend on the executor, nor on the number of its workers."""

import pickle
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.killed_workers import Killer
from blackbox import resume, tune
from blackbox.errors import SettingError
from blackbox.evaluation import Evaluation
from blackbox.scorer import Scorer
from tests.backends.local.models import KINDS, save_model
from tests.blackbox.runs import finish, outcome, spawn, wait_for_lines, write_task
from tests.blackbox.small import QUICK, facts, make_task

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(600)]

SEARCHES: dict[str, dict[str, Any]] = {
    "blockwise": {},
    "one slice": {"slice_size": 50},
    "a race of texts": {"space": "choices", "optimizer": "categorical", "population": 6},
    "texts without a race": {"space": "choices", "optimizer": "categorical", "population": 6, "racing": "off"},
    "a race of vectors": {"racing": "on", "optimizer": "cma-es", "population": 6},
    "a projection of states": {"projection": "vocabulary"},
    "soft, with a target": {"space": "soft", "optimizer": "cma-es", "target": 0.9},
}


def run(cluster: Any | None, workers: int = 1, **settings: Any) -> tuple[Evaluation, ...]:
    """The history of a quick run in this process, or on the cluster."""
    ray = {"executor": "ray", "workers": workers, "ray_address": cluster.address} if cluster else {}
    return tune(make_task(train=24), **{**QUICK, **settings, **ray}).history


@pytest.mark.parametrize("name", SEARCHES)
def test_serial_threads_and_ray_are_the_same_run(name: str, cluster: Any) -> None:
    serial = facts(run(None, **SEARCHES[name]))
    assert len(serial) > 15
    assert facts(run(None, executor="threads", workers=3, **SEARCHES[name])) == serial
    for workers in (1, 2, 4) if name == "blockwise" else (3,):
        assert facts(run(cluster, workers, **SEARCHES[name])) == serial


@pytest.mark.parametrize("kind", ["llama", "bert"])
def test_a_real_model_scores_the_same_bit_for_bit_in_workers(kind: str, cluster: Any, tmp_path: Path) -> None:
    save_model(KINDS[kind], tmp_path / kind, seed=1)
    settings = {"backend": "local", "model": str(tmp_path / kind), "threads": 1, "template": "{text} it was {label}"}
    task = make_task(train=16, template=settings.pop("template"))

    def history(**executor: Any) -> list[tuple[object, ...]]:
        return facts(tune(task, **{**QUICK, **settings, "evaluations": 40}, **executor).history)

    serial = history()
    for workers in (1, 3):
        assert history(executor="ray", workers=workers, ray_address=cluster.address) == serial


def test_a_run_whose_workers_are_killed_ends_as_the_unbroken_one_and_counts_each_evaluation_once(cluster: Any) -> None:
    settings: dict[str, Any] = {"evaluations": 600, "population": 12}
    unbroken = run(None, **settings)
    killer = Killer(seed=1)
    history = run(cluster, 3, callbacks=[killer], **settings)
    assert facts(history) == facts(unbroken)
    assert [evaluation.number for evaluation in history] == list(range(len(unbroken)))
    assert len(killer.killed) >= 3


def test_a_driver_that_is_killed_goes_on_with_another_executor(tmp_path: Path) -> None:
    settings = {**{key: QUICK[key] for key in ("population", "slice_size", "seed")}, "evaluations": 300, "dimension": 6}
    config = write_task(tmp_path, **settings)
    assert finish(spawn("tune", config, "--runs", tmp_path, "--name", "whole"))[0] == 0
    driver = spawn(
        "tune", config, "--runs", tmp_path, "--name", "killed",
        "--executor", "ray", "--workers", "2", "--ray-address", "local",
    )  # fmt: skip
    wait_for_lines(tmp_path / "killed" / "evaluations.jsonl", 40, driver)
    driver.kill()
    driver.communicate()
    assert finish(spawn("resume", tmp_path / "killed", "--executor", "serial"))[0] == 0
    assert outcome(tmp_path / "killed") == outcome(tmp_path / "whole")


def test_other_settings_than_the_executors_stay_as_they_were(tmp_path: Path) -> None:
    tune(make_task(), folder=tmp_path / "run", **QUICK)
    with pytest.raises(SettingError, match="setting 'seed' belongs to the run from its beginning"):
        resume(tmp_path / "run", seed=4)


def test_candidates_of_a_slice_are_sent_and_not_their_prompts(cluster: Any) -> None:
    """What is sent for five candidates of 500 numbers takes less than half again of these."""
    candidates = np.zeros((5, 500))
    assert len(pickle.dumps(partial(Scorer.score, contenders=candidates, split="train"))) < 1.5 * candidates.nbytes
