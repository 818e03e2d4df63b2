import math
from collections.abc import Sequence

import numpy as np
import pytest

from blackbox import MeanLoss, Measured, Predictor, SavedPrompt
from blackbox.backends import (
    Capability,
    FakeBackend,
    Prompt,
    Query,
    Scores,
    SoftPrompt,
    TextPrompt,
    UnsupportedPromptError,
)
from blackbox.errors import DataError, MismatchError, UnknownNameError
from tests.blackbox.small import make_rows, make_target_rows, make_target_task, make_task

BEST = TextPrompt("classify sentiment carefully answer")


class Silent(FakeBackend):
    """Gives no answer for texts with a question mark."""

    def score(self, prompts: list[Prompt], queries: list[Query]) -> Scores:  # type: ignore[override]
        scores = super().score(prompts, queries)
        log_probabilities = scores.log_probabilities.copy()
        log_probabilities[:, ["?" in query.before for query in queries]] = np.nan
        return Scores(log_probabilities, scores.usages)


def predictor(backend: FakeBackend) -> Predictor:
    return Predictor(backend, SavedPrompt.of(BEST, backend=backend, task=make_task(), scores={}))


def test_rows_get_the_most_probable_label_and_shares_that_add_up() -> None:
    backend = FakeBackend()
    predictions = predictor(backend).predict([{"text": "a great day"}, {"text": "a bad day"}])
    assert [prediction.label for prediction in predictions] == ["positive", "negative"]
    best = math.exp(-backend.optimum_loss(2))
    assert predictions[0].probabilities == pytest.approx({"negative": 1 - best, "positive": best})


def test_labels_of_rows_are_not_looked_at() -> None:
    answers = predictor(FakeBackend()).predict([{"text": "a great day", "label": "nonsense"}])
    assert answers[0].label == "positive"


def test_no_rows_have_no_predictions() -> None:
    assert predictor(FakeBackend()).predict([]) == []


def test_a_row_without_an_answer_has_no_label() -> None:
    answered, silent = predictor(Silent()).predict([{"text": "a great day"}, {"text": "a great day?"}])
    assert answered.label == "positive"
    assert (silent.label, silent.probabilities) == (None, {})


def test_a_row_without_its_field_is_refused_by_its_number() -> None:
    with pytest.raises(DataError, match="row 2 has no field 'text'"):
        predictor(FakeBackend()).predict([{"text": "x"}, {"txt": "x"}])


def test_a_row_is_checked_under_the_name_that_the_caller_gives_it() -> None:
    with pytest.raises(DataError, match="stdin line 12 has no field 'text'"):
        predictor(FakeBackend()).check_row({"txt": "x"}, where="stdin line 12")


def test_the_metric_is_of_the_rows_that_were_answered() -> None:
    rows = [*make_rows(5), {"text": "a great day", "label": "negative"}, {"text": "great?", "label": "negative"}]
    measured = predictor(Silent()).evaluate(rows, metric="accuracy")
    assert measured is not None
    assert (measured.value, measured.rows) == (pytest.approx(5 / 6), 6)


def test_there_is_no_metric_without_answers() -> None:
    assert predictor(Silent()).evaluate([{"text": "great?", "label": "negative"}], metric="accuracy") is None


def test_rows_without_labels_are_refused() -> None:
    with pytest.raises(DataError, match="row 2 has no field 'label'"):
        predictor(FakeBackend()).evaluate([*make_rows(1), {"text": "x"}], metric="accuracy")


def for_targets(backend: FakeBackend, text: str = "") -> Predictor:
    prompt = TextPrompt(text)
    return Predictor(backend, SavedPrompt.of(prompt, backend=backend, task=make_target_task(), scores={}))


def test_rows_with_targets_have_the_mean_loss_of_those_that_were_answered() -> None:
    q = math.exp(-(1.2**2))  # the fake backend's quality of an empty prompt
    start = for_targets(Silent()).evaluate([*make_target_rows(3), {"question": "so", "target": "4"}])
    assert isinstance(start, MeanLoss)
    assert start == MeanLoss(pytest.approx(4.0 * (1 - q)), rows=1)  # the others have a question mark
    assert for_targets(FakeBackend(), BEST.text).evaluate(make_target_rows(3)) == MeanLoss(0.0, rows=3)


def test_there_is_no_loss_without_answers_or_rows() -> None:
    assert for_targets(Silent()).evaluate(make_target_rows(3)) is None
    assert for_targets(FakeBackend()).evaluate([]) is None


def test_rows_without_targets_are_refused() -> None:
    with pytest.raises(DataError, match="row 2 has no field 'target' with its target"):
        for_targets(FakeBackend()).evaluate([*make_target_rows(1), {"question": "x"}])


def test_targets_are_written_and_the_row_s_own_is_not_looked_at() -> None:
    written = for_targets(FakeBackend()).predict([{"question": "so"}, {"question": "so", "target": "4"}])
    assert written[0].text == written[0].answer is not None
    assert written[1] == written[0]
    assert (written[0].label, written[0].probabilities) == (None, {})
    assert for_targets(FakeBackend()).predict([]) == []


def test_a_backend_that_does_not_write_is_refused_for_targets() -> None:
    class Mute(FakeBackend):
        capabilities = FakeBackend().capabilities - {Capability.GENERATE}

    with pytest.raises(UnsupportedPromptError, match="has no text that the model writes; those need 'fake'"):
        for_targets(Mute()).predict([{"question": "so"}])


def test_the_figure_is_of_the_metric_that_is_asked_for() -> None:
    rows = make_target_rows(6)
    assert for_targets(FakeBackend(), BEST.text).evaluate(rows) == MeanLoss(0.0, rows=6)
    measured = for_targets(FakeBackend(), BEST.text).evaluate(rows, metric="exact-match")
    assert isinstance(measured, Measured)
    assert (measured.metric, measured.value, measured.rows) == ("exact-match", 1.0, 6)


def test_the_metric_of_the_prompt_is_the_default() -> None:
    task = make_target_task(metric="numeric-match", answer_tokens=40)
    saved = SavedPrompt.of(BEST, backend=FakeBackend(), task=task, scores={})
    measured = Predictor(FakeBackend(), saved).evaluate(make_target_rows(3))
    assert measured is not None
    assert measured.metric == "numeric-match"


def test_a_metric_that_is_a_function_is_given_again_and_the_name_alone_is_refused() -> None:
    def half(text: str, targets: Sequence[str]) -> float:
        return 0.5

    saved = SavedPrompt.of(BEST, backend=FakeBackend(), task=make_target_task(metric=half), scores={})
    with pytest.raises(UnknownNameError, match="unknown metric of targets 'half'"):
        Predictor(FakeBackend(), saved).evaluate(make_target_rows(3))
    measured = Predictor(FakeBackend(), saved, metric=half).evaluate(make_target_rows(3))
    assert measured is not None
    assert (measured.metric, measured.value) == ("half", 0.5)
    assert Predictor(FakeBackend(), saved).predict([{"question": "x"}])[0].text


def test_vectors_mean_nothing_to_another_model() -> None:
    vectors = SoftPrompt((1, 2), np.zeros((2, FakeBackend().shape.hidden_size), dtype=np.float32))
    saved = SavedPrompt.of(vectors, backend=FakeBackend(), task=make_task(), scores={})
    with pytest.raises(MismatchError, match="other weights"):
        Predictor(FakeBackend(margin=1.0), saved)


def test_a_text_is_carried_to_another_model() -> None:
    saved = SavedPrompt.of(BEST, backend=FakeBackend(), task=make_task(), scores={})
    predictions = Predictor(FakeBackend(margin=1.0), saved).predict([{"text": "a great day"}])
    assert predictions[0].label == "positive"
