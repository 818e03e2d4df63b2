import json

import pytest

from benchmarks.small_proposer import DEV, TRAIN, few_rows, figures
from blackbox.config import make_config
from blackbox.parts import make_parts
from blackbox.run import run
from blackbox.spaces import ChoicesSpace
from tests.blackbox.proposing.writers import Scripted
from tests.blackbox.small import make_target_task, make_task
from tests.blackbox.test_evolving import SETTINGS, garbage


def figures_of(backend: Scripted | None) -> dict[str, object]:
    """Of a search whose proposals come from this backend."""
    config = make_config({**SETTINGS, "optimizer": "evolution", "demonstrations": 0})
    parts = make_parts(config, make_task(), backend=backend)
    result = run(parts, None, ())
    assert isinstance(parts.space, ChoicesSpace)
    return json.loads(json.dumps(figures(result, parts.space), allow_nan=False))


def test_what_was_taken_in_and_adopted_is_told() -> None:
    found = figures_of(None)
    assert isinstance(found["taken_in"], list)
    assert found["adopted"] in found["taken_in"]
    assert found["proposed"] == len(found["taken_in"]) + sum(dict(found["refused"]).values())  # type: ignore[call-overload]
    assert 0.5 < float(str(found["share_of_the_prompt_by_the_model"])) <= 1


def test_a_search_that_refused_all_has_nothing_by_the_model() -> None:
    found = figures_of(Scripted(garbage))
    assert (found["taken_in"], found["adopted"], found["share_of_the_prompt_by_the_model"]) == ([], "", 0.0)
    assert int(str(found["proposed"])) > 12


@pytest.mark.parametrize("make", [make_task, make_target_task])
def test_few_rows_are_as_many_of_each_label(make: type) -> None:
    task = make(train=60, dev=40, test=5)
    few = few_rows(task)
    assert (len(few.train), len(few.dev), len(few.test)) == (TRAIN, DEV, 5)
    if task.labels:
        assert few.train.labels.tolist().count(0) == TRAIN // 2
    assert all(row in task.train.rows for row in few.train.rows)
