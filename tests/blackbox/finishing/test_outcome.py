import math
from dataclasses import replace

import pytest

from blackbox.backends import Usage
from blackbox.evaluation import Evaluation
from blackbox.finishing.outcome import attempts, handed_out, tokens_a_row
from blackbox.metrics import Measured, wilson_interval
from blackbox.report.finishing import attempts_in_words
from blackbox.tried import Tried

ROWS = 10


def look(loss: float, share: float, tried: Tried | None = None, *, split: str = "dev", failed: int = 0) -> Evaluation:
    """Of the selected candidate "a", or of what was tried with it; a row costs 20 tokens a member, 1 is written."""
    members = len(tried.members) if tried else 1
    calibrating = 50 if tried and tried.calibration != "off" else 0  # tokens for its offsets
    usage = Usage(ROWS, prompt_tokens=20 * ROWS * members + calibrating, completion_tokens=ROWS)
    measured = Measured("accuracy", share, *wilson_interval(share, ROWS), ROWS)
    digest = tried.digest if tried else "a"
    return Evaluation(0, split, 1, None, digest, loss, measured, ROWS, failed, usage, 0.0, tried=tried)


ENSEMBLE = Tried(("a", "b", "c"))
BATCH = Tried(("a",), "batch", (0.5, -0.5))
PLAIN = look(0.5, 0.7)


def test_without_attempts_the_selected_prompt_is_handed_out() -> None:
    assert handed_out([PLAIN, look(0.1, 1.0, split="test")], "a") is PLAIN
    assert handed_out([PLAIN], "b") is None
    assert attempts_in_words([PLAIN]) == []


@pytest.mark.parametrize(
    ("attempt", "kept"),
    [
        (look(0.9, 1.0, ENSEMBLE), True),  # by 0.3; the standard error is 0.14
        (look(0.1, 0.8, ENSEMBLE), False),  # by 0.1; the standard error is 0.17
        (look(0.1, 0.7, ENSEMBLE), False),
        (look(0.1, 0.6, ENSEMBLE), False),
        (look(0.1, 1.0, ENSEMBLE, failed=1), False),  # figures on fewer rows are no better for it
    ],
)
def test_an_attempt_is_kept_where_its_metric_is_better_by_more_than_a_standard_error(
    attempt: Evaluation, kept: bool
) -> None:
    assert (handed_out([PLAIN, attempt], "a") is attempt) == kept
    assert [line.kept for line in attempts_in_words([PLAIN, attempt])] == [not kept, kept]


def test_an_attempt_is_kept_where_rows_that_failed_before_are_answered() -> None:
    attempt = look(0.9, 0.6, ENSEMBLE)
    assert handed_out([look(0.5, 0.7, failed=1), attempt], "a") is attempt


def test_each_attempt_has_to_beat_the_best_before_it() -> None:
    history = [PLAIN, look(0.4, 0.95, ENSEMBLE), look(0.3, 1.0, replace(ENSEMBLE, calibration="batch"))]
    assert handed_out(history, "a") is history[1]
    assert attempts(history) == history[1:]


def test_tokens_are_those_of_a_test_row_and_else_of_a_dev_row_before_calibration() -> None:
    calibrated = look(0.3, 0.95, BATCH)
    assert tokens_a_row([PLAIN], "a") == (20.0, 1.0)
    assert tokens_a_row([PLAIN, look(0.4, 0.95, ENSEMBLE)], "a") == (60.0, 1.0)
    assert tokens_a_row([PLAIN, calibrated], "a") == (20.0, 1.0)
    both = look(0.3, 0.95, replace(ENSEMBLE, calibration="contextual"))
    assert tokens_a_row([PLAIN, look(0.4, 0.75, ENSEMBLE), both], "a") == (60.0, 1.0)
    tested = replace(look(0.3, 0.95, BATCH, split="test"), usage=Usage(ROWS, prompt_tokens=400))
    assert tokens_a_row([PLAIN, calibrated, tested], "a") == (40.0, 0.0)


def test_without_dev_rows_tokens_are_those_of_a_test_row_and_else_not_known() -> None:
    assert tokens_a_row([look(0.3, 0.9, split="test")], "a") == (20.0, 1.0)
    assert tokens_a_row([], "a") is None
    assert tokens_a_row([], None) is None


def test_attempts_are_told_in_words() -> None:
    words = attempts_in_words(
        [PLAIN, look(0.4, 0.95, ENSEMBLE), look(math.inf, 0.8, replace(ENSEMBLE, calibration="batch"))]
    )
    assert [line.what for line in words] == [
        "the selected prompt",
        "an average of 3 prompts",
        "an average of 3 prompts with batch calibration",
    ]
    assert [line.prompt_tokens for line in words] == ["20.0", "60.0", "60.0"]


def test_what_is_tried_has_a_digest_of_its_own_whatever_its_offsets_are() -> None:
    assert replace(BATCH, offsets=None).digest == BATCH.digest
    others = [ENSEMBLE, BATCH, replace(BATCH, calibration="contextual"), Tried(("b", "a", "c")), Tried(("a", "b"))]
    assert len({tried.digest for tried in others}) == len(others)
