"""Text prompts with a template and label words of their own, from the settings to the saved prompt."""

from pathlib import Path
from typing import Any

import pytest

from blackbox import Predictor, SavedPrompt, resume, tune
from blackbox.backends import FakeBackend, Query, Scores, TextPrompt
from blackbox.environment import space_hash
from blackbox.errors import DataError
from blackbox.spaces import TextsSpace
from tests.blackbox.small import make_rows, make_task

pytestmark = pytest.mark.usefixtures("without_pictures")
OWN = {"text": "classify sentiment carefully answer", "template": "{text} So {label}", "label_words": ["bad", "great"]}
SETTINGS: dict[str, Any] = {"space": "texts", "prompts": ["zzz", OWN], "evaluations": 9}


class Watching(FakeBackend):
    """Keeps the queries of its last call."""

    def score(self, prompts: list[Any], queries: list[Query]) -> Scores:  # type: ignore[override]
        self.queries = queries
        return super().score(prompts, queries)


def test_a_form_is_searched_saved_resumed_and_used(tmp_path: Path) -> None:
    found = tune(make_task(), backend="fake", folder=tmp_path / "run", **SETTINGS)
    assert isinstance(found.prompt, TextPrompt)
    assert found.prompt.template == "{text} So {label}"
    assert resume(tmp_path / "run").prompt == found.prompt
    saved, backend = SavedPrompt.load(tmp_path / "run" / "prompt"), Watching()
    assert Predictor(backend, saved).predict([{"text": "great"}])[0].label == "positive"
    assert backend.queries == (Query("great So ", ("bad", "great")),)
    measured = Predictor(backend, saved).evaluate(make_rows(2))
    assert measured is not None
    assert backend.queries[1].before == "Day 1 was great. So "


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"template": "{txt} {label}"}, "train row 1 has no field 'txt'"),
        ({"label_words": ["a", "b", "c"]}, "label_words of a prompt must be 2"),
        ({"demonstrations": [{"before": "a", "answer": "b", "row": 99}]}, "row 99 of train, which has the rows 0 to 7"),
    ],
)
def test_forms_that_cannot_be_used_are_refused_before_anything_is_spent(own: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        tune(make_task(), backend="fake", space="texts", prompts=["x", {"text": "y", **own}], evaluations=9)


def test_a_field_that_a_model_never_sees_is_refused_in_a_prompt_s_own_template_too() -> None:
    class Onward(FakeBackend):
        capabilities = frozenset(found for found in FakeBackend().capabilities if found.name != "INFILL")

    own = {"text": "y", "template": "{label} {text}"}
    with pytest.raises(DataError, match="reads left to right: put {label} last"):
        tune(make_task(), backend=Onward(), space="texts", prompts=["x", own], evaluations=9)


def test_forms_tell_spaces_apart() -> None:
    plain, own, other = TextPrompt("a"), TextPrompt("a", template="{text} {label}"), TextPrompt("b")
    assert space_hash(TextsSpace([plain, other])) != space_hash(TextsSpace([own, other]))
