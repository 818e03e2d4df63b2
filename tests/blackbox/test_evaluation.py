import hashlib
import json
import math
import struct
from dataclasses import replace

import numpy as np
import pytest

from blackbox import Evaluation, Measured
from blackbox.backends import Usage
from blackbox.evaluation import candidate_digest
from blackbox.figures import MeanLoss
from blackbox.tried import Tried

EVALUATION = Evaluation(
    number=3,
    split="train",
    generation=2,
    block=1,
    candidate="00ff" * 4,
    loss=0.1 + 0.2,  # no short decimal fraction
    measured=Measured("accuracy", 2 / 3, 0.2, 0.9, 3),
    rows=4,
    failed_rows=1,
    usage=Usage(requests=4, prompt_tokens=99, seconds=0.25),
    elapsed=7.5,
)


@pytest.mark.parametrize(
    "evaluation",
    [
        EVALUATION,
        replace(EVALUATION, loss=math.inf, measured=None, block=None),
        replace(EVALUATION, tried=Tried(("a", "b"))),
        replace(EVALUATION, tried=Tried(("a",), "batch", (0.1 + 0.2, -1e-17))),
        replace(EVALUATION, shown_rows=2, row_losses=(0.1, None, 0.3, None)),
    ],
)
def test_it_comes_back_from_json_number_for_number(evaluation: Evaluation) -> None:
    assert Evaluation.from_dict(json.loads(json.dumps(evaluation.to_dict()))) == evaluation


def test_what_few_evaluations_have_is_not_written_of_the_others() -> None:
    assert EVALUATION.to_dict().keys().isdisjoint({"shown_rows", "row_losses"})


def test_facts_are_everything_but_time_and_cost() -> None:
    slower = replace(EVALUATION, elapsed=9.0, usage=Usage(requests=4, seconds=2.0))
    assert slower.facts == EVALUATION.facts
    for change in ({"loss": 0.3}, {"number": 4}, {"candidate": "0" * 16}, {"split": "dev"}, {"block": 0}):
        assert replace(EVALUATION, **change).facts != EVALUATION.facts  # type: ignore[arg-type]


def test_it_is_judged_by_its_metric_or_by_the_loss_of_the_rows_that_were_answered() -> None:
    assert EVALUATION.figure is EVALUATION.measured
    assert replace(EVALUATION, measured=None).figure == MeanLoss(0.1 + 0.2, rows=3)
    assert replace(EVALUATION, measured=None, loss=math.inf, failed_rows=4).figure is None


def test_values_that_are_no_evaluation_are_refused() -> None:
    values = EVALUATION.to_dict()
    del values["loss"]
    with pytest.raises(KeyError):
        Evaluation.from_dict(values)
    with pytest.raises(TypeError):
        Evaluation.from_dict({**EVALUATION.to_dict(), "usage": {"wishes": 3}})


def test_the_digest_of_a_candidate_is_sha256_over_little_endian_doubles() -> None:
    expected = hashlib.sha256(struct.pack("<3d", 1.0, -0.5, 3e-7)).hexdigest()[:16]
    assert candidate_digest(np.array([1.0, -0.5, 3e-7])) == expected
    assert candidate_digest(np.array([1.0, 9.0, -0.5, 9.0, 3e-7])[::2]) == expected


def test_candidates_that_differ_in_the_last_bit_have_other_digests() -> None:
    candidate = np.array([1.0, 2.0])
    assert candidate_digest(candidate) != candidate_digest(np.nextafter(candidate, np.inf))
