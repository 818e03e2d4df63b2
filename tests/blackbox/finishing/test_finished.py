"""Finished prompts on the disk and in use."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blackbox import Predictor, SavedPrompt
from blackbox.backends import DecomposedPrompt, DeepPrompt, FakeBackend, PrefixPrompt, Prompt, SoftPrompt, TextPrompt
from blackbox.backends.prompts import vectors_of
from blackbox.errors import DamagedFileError, DataError, MismatchError, RunError
from blackbox.export import exported
from blackbox.files import read_json
from blackbox.finishing.finished import Finished
from blackbox.report.finished import finished_in_words
from tests.blackbox.small import make_rows, make_task
from tests.blackbox.test_saved_prompt import change

FIRST = TextPrompt("classify", template="{text} So {label}", label_words=("poor", "fine"))
SECOND = TextPrompt("classify the sentiment")
BOTH = Finished((FIRST, SECOND), (0.25, -0.25))


def saved(finished: Finished = BOTH, prompt: Prompt = FIRST) -> SavedPrompt:
    return SavedPrompt.of(prompt, backend=FakeBackend(), task=make_task(), scores={}, finished=finished)


def test_members_and_offsets_come_back_bit_for_bit(tmp_path: Path) -> None:
    finished = Finished((FIRST, SECOND), (0.1 + 0.2, -1e-17))
    saved(finished).save(tmp_path)
    loaded = SavedPrompt.load(tmp_path)
    assert loaded.finished == saved(finished).finished
    assert loaded.finished.offsets == finished.offsets
    assert loaded.prompt == FIRST


def test_a_member_is_asked_in_the_tasks_form_where_it_has_none_of_its_own(tmp_path: Path) -> None:
    """The saved template and words are those of the first, which has its own."""
    saved().save(tmp_path)
    first, second = SavedPrompt.load(tmp_path).finished.members
    assert (first.template, first.label_words) == (FIRST.template, FIRST.label_words)
    assert (second.template, second.label_words) == ("{text} It was {label}.", ("bad", "great"))


def test_predictions_are_the_mean_of_the_members_with_the_offsets_added(tmp_path: Path) -> None:
    saved().save(tmp_path)
    rows = make_rows(4)
    of_members = [
        [found.probabilities for found in Predictor(FakeBackend(), saved(Finished(), one)).predict(rows)]
        for one in (FIRST, SECOND)
    ]
    for found, first, second in zip(
        Predictor(FakeBackend(), SavedPrompt.load(tmp_path)).predict(rows), *of_members, strict=True
    ):
        mean = {label: (first[label] + second[label]) / 2 for label in first}
        moved = {"negative": mean["negative"] * np.exp(0.25), "positive": mean["positive"] * np.exp(-0.25)}
        expected = {label: share / sum(moved.values()) for label, share in moved.items()}
        assert found.probabilities == pytest.approx(expected)


def test_a_row_that_lacks_a_field_of_any_member_is_refused() -> None:
    other = TextPrompt("classify", template="{title}: {label}")
    predictor = Predictor(FakeBackend(), saved(Finished((FIRST, other))))
    with pytest.raises(DataError, match="no field 'title'"):
        predictor.check_row({"text": "a day"}, where="stdin line 1")


def test_a_plain_prompt_is_written_as_before_and_a_finished_one_in_a_format_of_its_own(tmp_path: Path) -> None:
    """What does not know finished prompts shall not take one for a plain prompt."""
    saved(Finished()).save(tmp_path)
    values = read_json(tmp_path / "prompt.json")
    assert values["format"] == 1
    assert not {"members", "offsets", "finished"} & values.keys()
    assert not SavedPrompt.load(tmp_path).finished
    saved().save(tmp_path)
    assert read_json(tmp_path / "prompt.json")["format"] == 2


def test_a_changed_offset_is_found_by_the_checksum(tmp_path: Path) -> None:
    saved().save(tmp_path)
    path = tmp_path / "prompt.json"
    path.write_text(path.read_text().replace("0.25", "0.35"))
    with pytest.raises(DamagedFileError, match="checksum"):
        SavedPrompt.load(tmp_path)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"offsets": [1.0]}, "offsets must be one for each of 2 labels, got 1"),
        ({"offsets": [1.0, float("nan")]}, "offsets must be finite"),
        ({"members": [{"role": "user"}]}, "text"),
    ],
)
def test_values_that_are_no_finish_are_refused(values: dict[str, Any], message: str, tmp_path: Path) -> None:
    saved().save(tmp_path)
    change(tmp_path / "prompt.json", **values)
    with pytest.raises(DamagedFileError, match=message):
        SavedPrompt.load(tmp_path)


def test_texts_may_be_carried_to_another_model_and_offsets_may_not() -> None:
    other = FakeBackend(margin=1.0)
    Predictor(other, saved(Finished((FIRST, SECOND))))
    with pytest.raises(MismatchError, match="other weights"):
        Predictor(other, saved())


def test_offsets_of_a_prompt_of_vectors_come_back(tmp_path: Path) -> None:
    saved(Finished(offsets=(1.0, -1.0)), SoftPrompt((97,), np.zeros((1, 8), dtype=np.float32))).save(tmp_path)
    assert SavedPrompt.load(tmp_path).finished.offsets == (1.0, -1.0)


def vectors(kind: str, seed: int) -> Prompt:
    rng = np.random.default_rng(seed)
    layers = {layer: rng.normal(size=(2, 8)).astype(np.float32) for layer in (1, 3)}
    if kind == "soft":
        return SoftPrompt((97, 98), layers[1])
    if kind == "deep":
        return DeepPrompt((97, 98), layers)
    if kind == "decomposed":
        return DecomposedPrompt((97, 98), rng.normal(size=(5, 8)))
    return PrefixPrompt((97, 98), {layer: rng.normal(size=(2, 2, 6)).astype(np.float32) for layer in range(4)})


@pytest.mark.parametrize("kind", ["soft", "deep", "prefix", "decomposed"])
def test_an_ensemble_of_vectors_comes_back_bit_for_bit(kind: str, tmp_path: Path) -> None:
    members = tuple(vectors(kind, seed) for seed in range(3))
    saved(Finished(members, (0.5, -0.5)), members[0]).save(tmp_path)
    assert read_json(tmp_path / "prompt.json")["format"] == 3
    assert len(list(tmp_path.iterdir())) == 2
    loaded = SavedPrompt.load(tmp_path)
    assert loaded.finished.offsets == (0.5, -0.5)
    assert loaded.prompt is loaded.finished.members[0]
    for member, again in zip(members, loaded.finished.members, strict=True):
        assert type(again) is type(member)
        assert again.token_ids == (97, 98)  # type: ignore[union-attr]
        of_member, of_again = vectors_of(member), vectors_of(again)
        assert {layer: array.tobytes() for layer, array in of_member.items()} == {
            layer: array.tobytes() for layer, array in of_again.items()
        }


def test_a_member_that_lost_its_vectors_is_damaged(tmp_path: Path) -> None:
    members = (vectors("deep", 1), vectors("deep", 2))
    saved(Finished(members), members[0]).save(tmp_path)
    change(tmp_path / "prompt.json", vector_members=[])
    with pytest.raises(
        DamagedFileError, match=r"layers \['1\.1', '1\.3'\] stand in only one of prompt.json and prompt-"
    ):
        SavedPrompt.load(tmp_path)


def test_an_ensemble_is_exported_as_json_only() -> None:
    with pytest.raises(RunError, match="an average of 2, which no single text is"):
        exported(saved(), "text")
    values = json.loads(exported(saved(), "json"))
    assert [member["text"] for member in values["members"]] == ["classify", "classify the sentiment"]
    assert values["offsets"] == [0.25, -0.25]
    assert exported(saved(Finished(offsets=(1.0, -1.0))), "text")


def test_what_is_done_to_a_prompt_is_said_in_lines() -> None:
    assert finished_in_words(saved(Finished())) == []
    members = tuple(vectors("soft", seed) for seed in range(3))
    assert finished_in_words(saved(Finished(members), members[0])) == [
        "averaged with: the vectors of 2 further prompts"
    ]
    assert finished_in_words(saved()) == [
        "averaged with: 'classify the sentiment'",
        "calibrated, nats: negative +0.250, positive -0.250",
    ]
