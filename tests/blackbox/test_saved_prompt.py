import hashlib
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from blackbox import SavedPrompt
from blackbox.backends import DeepPrompt, Demonstration, FakeBackend, PrefixPrompt, Prompt, SoftPrompt, TextPrompt
from blackbox.backends.prompts import vectors_of
from blackbox.errors import DamagedFileError, MismatchError, RunError
from tests.blackbox.small import TEMPLATE, WORDS, make_target_task, make_task


def numbers(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape or (2, 8)).astype(np.float32)


PROMPTS = {
    "text": TextPrompt("Is it bad or great? naïve"),
    "soft": SoftPrompt((97, 98), numbers(1)),
    "deep": DeepPrompt((97, 98), {0: numbers(2), 3: numbers(3), 11: numbers(4)}),
    "prefix": PrefixPrompt((97, 98), {layer: numbers(layer, 2, 3, 6) for layer in range(11)}),
}
SCORES = {"train_loss": 0.1 + 0.2, "dev": {"metric": "accuracy", "value": 0.8}}


def saved(prompt: Prompt, backend: FakeBackend | None = None) -> SavedPrompt:
    return SavedPrompt.of(prompt, backend=backend or FakeBackend(), task=make_task(), scores=SCORES)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A saved deep prompt."""
    saved(PROMPTS["deep"]).save(tmp_path)
    return tmp_path


def write(path: Path, values: dict[str, object]) -> None:
    """What a program that knows the format would write."""
    values.pop("checksum")
    checksum = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps({**values, "checksum": checksum}))


def change(path: Path, **values: object) -> None:
    write(path, {**json.loads(path.read_text()), **values})


def vectors_file(folder: Path) -> Path:
    (path,) = folder.glob("*.safetensors")
    return path


@pytest.mark.parametrize("kind", PROMPTS)
def test_a_prompt_comes_back_bit_for_bit(kind: str, tmp_path: Path) -> None:
    prompt = PROMPTS[kind]
    saved(prompt).save(tmp_path / "prompt")
    loaded = SavedPrompt.load(tmp_path / "prompt")
    assert type(loaded.prompt) is type(prompt)
    before, after = vectors_of(prompt), vectors_of(loaded.prompt)
    assert {layer: array.tobytes() for layer, array in before.items()} == {
        layer: array.tobytes() for layer, array in after.items()
    }
    assert getattr(loaded.prompt, "token_ids", None) == getattr(prompt, "token_ids", None)
    assert getattr(loaded.prompt, "text", None) == getattr(prompt, "text", None)


@pytest.mark.parametrize("kind", PROMPTS)
def test_what_is_needed_to_use_it_comes_back_too(kind: str, tmp_path: Path) -> None:
    saved(PROMPTS[kind]).save(tmp_path)
    loaded = SavedPrompt.load(tmp_path)
    assert loaded.template == TEMPLATE
    assert loaded.label_words == WORDS
    assert (loaded.label_field, loaded.target_field) == ("label", None)
    assert loaded.scores == SCORES
    assert (loaded.model, loaded.model_hash) == ("fake", FakeBackend().model_hash)
    assert loaded.text == ("Is it bad or great? naïve" if kind == "text" else "ab")


def test_a_prompt_for_targets_comes_back_with_the_field_of_the_targets(tmp_path: Path) -> None:
    task = make_target_task()
    SavedPrompt.of(PROMPTS["text"], backend=FakeBackend(), task=task, scores={}).save(tmp_path)
    loaded = SavedPrompt.load(tmp_path)
    assert (loaded.target_field, loaded.label_words) == ("target", {})
    assert loaded.blank == task.blank


@pytest.mark.parametrize(
    "own",
    [
        {"template": "{text} So {label}"},
        {"label_words": ("poor", "fine")},
        {"template": "{text} So {label}", "label_words": ("poor", "fine")},
    ],
)
def test_a_prompt_keeps_its_own_form_and_is_used_in_it(tmp_path: Path, own: dict[str, Any]) -> None:
    prompt = TextPrompt("Say it.", (Demonstration("a", "b", row=1),), **own)
    SavedPrompt.of(prompt, backend=FakeBackend(), task=make_task(), scores={}).save(tmp_path)
    loaded = SavedPrompt.load(tmp_path)
    assert loaded.prompt == prompt
    assert loaded.form == make_task().form.of(prompt)


def test_a_prompt_from_before_there_were_targets_is_one_for_labels(folder: Path) -> None:
    values = json.loads((folder / "prompt.json").read_text())
    del values["target_field"]
    write(folder / "prompt.json", values)
    assert SavedPrompt.load(folder).blank == make_task().blank


def test_a_saved_prompt_can_be_saved_again_and_replaces_the_old_one(folder: Path) -> None:
    saved(PROMPTS["soft"]).save(folder)
    assert isinstance(SavedPrompt.load(folder).prompt, SoftPrompt)
    assert len(list(folder.iterdir())) == 2
    saved(PROMPTS["text"]).save(folder)
    assert [path.name for path in folder.iterdir()] == ["prompt.json"]


def test_a_kill_between_the_two_files_leaves_the_old_prompt(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("blackbox.saved_prompt.write_json", killed)
    with pytest.raises(KeyboardInterrupt):
        saved(PROMPTS["soft"]).save(folder)
    assert isinstance(SavedPrompt.load(folder).prompt, DeepPrompt)


def test_a_prompt_of_the_first_format_can_still_be_read(tmp_path: Path) -> None:
    content = safetensors.numpy.save({"3": numbers(3)})
    sha256 = hashlib.sha256(content).hexdigest()
    (tmp_path / "prompt-old.safetensors").write_bytes(content)
    task = {"template": TEMPLATE, "label_words": WORDS, "label_field": "label"}
    prompt = {"format": 1, "kind": "deep", "text": "ab", "token_ids": [97, 98], "layers": [3], "scores": SCORES}
    files = {"vectors": "prompt-old.safetensors", "sha256": sha256, "checksum": ""}
    write(tmp_path / "prompt.json", {**prompt, **task, **files, "model": "fake", "model_hash": "1"})
    loaded = SavedPrompt.load(tmp_path).prompt
    assert isinstance(loaded, DeepPrompt)
    assert loaded.token_ids == (97, 98)
    assert loaded.vectors[3].tobytes() == numbers(3).tobytes()


def test_folders_may_be_text(tmp_path: Path) -> None:
    saved(PROMPTS["soft"]).save(str(tmp_path / "prompt"))
    assert isinstance(SavedPrompt.load(str(tmp_path / "prompt")).prompt, SoftPrompt)


def test_a_changed_template_is_found_by_the_checksum(folder: Path) -> None:
    path = folder / "prompt.json"
    path.write_text(path.read_text().replace("It was", "It is"))
    with pytest.raises(DamagedFileError, match=r"prompt\.json is damaged: its checksum does not match"):
        SavedPrompt.load(folder)


def test_the_files_are_json_and_safetensors_and_no_pickle(folder: Path) -> None:
    content = vectors_file(folder).read_bytes()
    name = f"prompt-{hashlib.sha256(content).hexdigest()[:12]}.safetensors"
    assert sorted(path.name for path in folder.iterdir()) == [name, "prompt.json"]
    with pytest.raises(pickle.UnpicklingError):
        pickle.loads(content)
    assert sorted(safetensors.numpy.load(content)) == ["0", "11", "3"]


def test_another_model_is_refused_by_name() -> None:
    class Other(FakeBackend):
        name = "other-model"
        model_hash = "ff" * 32

    with pytest.raises(MismatchError, match="tuned for model 'fake', got model 'other-model'"):
        saved(PROMPTS["deep"]).check(Other())


def test_other_weights_of_the_same_model_are_refused() -> None:
    with pytest.raises(MismatchError, match="other weights of model 'fake'"):
        saved(PROMPTS["deep"]).check(FakeBackend(margin=3.0))


def test_the_same_weights_under_another_name_are_accepted() -> None:
    class Renamed(FakeBackend):
        name = "models/fake-copy"

    saved(PROMPTS["deep"]).check(Renamed())


def test_no_prompt_at_all_is_refused_by_path(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"prompt\.json: No such file"):
        SavedPrompt.load(tmp_path)


def test_a_newer_format_is_refused_by_number(folder: Path) -> None:
    change(folder / "prompt.json", format=4, kind="dream")
    with pytest.raises(MismatchError, match="has format 4, this version reads up to 3"):
        SavedPrompt.load(folder)


@pytest.mark.parametrize("key", ["format", "kind", "template", "label_words", "token_ids", "layers", "sha256", "model"])
def test_a_key_that_is_missing_is_named(folder: Path, key: str) -> None:
    values = json.loads((folder / "prompt.json").read_text())
    del values[key]
    write(folder / "prompt.json", values)
    with pytest.raises(DamagedFileError, match=rf"prompt\.json is damaged: it has no .*{key}"):
        SavedPrompt.load(folder)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "dream"}, "kind must be text, soft, deep, prefix or decomposed, got 'dream'"),
        ({"layers": [0, 3]}, r"layers \['11'\] stand in only one of"),
        ({"layers": [0, 3, 11, 12]}, r"layers \['12'\] stand in only one of"),
        ({"token_ids": [97]}, "with 1 tokens"),
        ({"kind": "prefix"}, r"must have shape \(2, n_positions, width\)"),
        ({"token_ids": 5}, "is damaged"),
    ],
)
def test_values_that_do_not_fit_together_are_refused(folder: Path, values: dict[str, object], message: str) -> None:
    change(folder / "prompt.json", **values)
    with pytest.raises(DamagedFileError, match=message):
        SavedPrompt.load(folder)


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_damaged_json_is_refused_by_file(folder: Path, content: str) -> None:
    (folder / "prompt.json").write_text(content)
    with pytest.raises(DamagedFileError, match=r"prompt\.json is damaged: it holds no JSON"):
        SavedPrompt.load(folder)


@pytest.mark.parametrize("place", [0, 8, 100, -1])
def test_one_changed_byte_of_the_vectors_is_found(folder: Path, place: int) -> None:
    path = vectors_file(folder)
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"prompt-\w{12}\.safetensors is damaged: its checksum"):
        SavedPrompt.load(folder)


def test_missing_vectors_are_refused_by_file(folder: Path) -> None:
    vectors_file(folder).unlink()
    with pytest.raises(RunError, match=r"prompt-\w{12}\.safetensors: No such file"):
        SavedPrompt.load(folder)


def test_a_file_that_is_no_safetensors_is_refused_even_with_its_checksum(folder: Path) -> None:
    content = b"neither this nor that"
    vectors_file(folder).write_bytes(content)
    change(folder / "prompt.json", sha256=hashlib.sha256(content).hexdigest())
    with pytest.raises(DamagedFileError, match=r"prompt-\w{12}\.safetensors is damaged"):
        SavedPrompt.load(folder)
