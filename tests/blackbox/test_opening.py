"""Searches that begin with prompts of others, or with a start that was chosen."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blackbox import Callback, Progress, Result, resume, tune
from blackbox.backends import DeepPrompt, FakeBackend, PrefixPrompt, SoftPrompt
from blackbox.backends.prompts import vectors_of
from blackbox.config import make_config
from blackbox.errors import BudgetError, DamagedFileError, MismatchError, SettingError
from blackbox.opening import Opening, make_opening
from blackbox.parts import make_parts
from blackbox.run_folder import RunFolder
from blackbox.spaces import prompt_of
from blackbox.starts import pool
from tests.blackbox.small import QUICK, facts, make_target_task, make_task

pytestmark = pytest.mark.usefixtures("without_pictures")

HELPFUL = "classify sentiment carefully answer"
KINDS = {"deep": DeepPrompt, "soft": SoftPrompt, "prefix": PrefixPrompt}


class StopAfter(Callback):
    def on_generation(self, progress: Progress) -> None:
        if progress.generation == 3:
            raise KeyboardInterrupt


def quick(**changes: Any) -> Result:
    return tune(make_task(), **{**QUICK, **changes})


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run of each space, on the tokens of another text."""
    folder = tmp_path_factory.mktemp("runs")
    for space in KINDS:
        quick(space=space, prompt="cd", evaluations=120, folder=folder / space, seed=5)
    return {space: folder / space for space in KINDS}


def start_of(space: str, **settings: Any) -> Any:
    parts = make_parts(make_config({**QUICK, "space": space, **settings}), make_task())
    return parts, prompt_of(parts.space, np.zeros(parts.space.dimension))


@pytest.mark.parametrize("space", KINDS)
def test_a_search_starts_from_the_found_prompt_tokens_and_vectors(runs: dict[str, Path], space: str) -> None:
    parts, start = start_of(space, warm_start=[str(runs[space])])
    found = RunFolder(runs[space]).read_prompt().prompt
    assert isinstance(start, KINDS[space])
    assert start.token_ids == found.token_ids == tuple(b"cd")  # type: ignore[union-attr]
    for layer, vectors in vectors_of(found).items():
        assert np.array_equal(vectors_of(start)[layer], vectors)
    assert parts.opening.evaluations == 2


@pytest.mark.parametrize("space", KINDS)
def test_the_first_evaluation_has_the_loss_that_the_found_prompt_had(runs: dict[str, Path], space: str) -> None:
    history = quick(space=space, warm_start=[str(runs[space])]).history
    assert history[0].loss == pytest.approx(RunFolder(runs[space]).read_summary().train_loss, abs=1e-12)


def test_layers_that_are_not_searched_keep_the_vectors_of_the_start(runs: dict[str, Path]) -> None:
    parts, _ = start_of("deep", warm_start=[str(runs["deep"])], layers="1")
    found = RunFolder(runs["deep"]).read_prompt().prompt
    moved = prompt_of(parts.space, np.ones(parts.space.dimension))
    assert isinstance(found, DeepPrompt) and isinstance(moved, DeepPrompt)
    for layer in (0, 2, 3):
        assert np.array_equal(moved.vectors.get(layer, np.zeros((2, 8))), found.vectors[layer])
    assert not np.array_equal(moved.vectors[1], found.vectors[1])


def test_a_soft_prompt_starts_a_deep_search(runs: dict[str, Path]) -> None:
    _, start = start_of("deep", warm_start=[str(runs["soft"])])
    found = RunFolder(runs["soft"]).read_prompt().prompt
    assert isinstance(start, DeepPrompt) and isinstance(found, SoftPrompt)
    assert np.array_equal(start.vectors[0], found.vectors)


def test_a_start_that_is_better_than_all_found_prompts_is_kept(runs: dict[str, Path]) -> None:
    parts, start = start_of("soft", warm_start=[str(runs["soft"])], prompt=HELPFUL)
    assert FakeBackend().decode(start.token_ids) == HELPFUL
    assert not start.vectors.any()
    assert [one.name for one in parts.opening.scored] == ["the start", "soft"]
    values = [one.value for one in parts.opening.scored]
    assert values[0] < values[1]


def test_what_was_looked_at_counts_in_the_budget(runs: dict[str, Path]) -> None:
    plain, warm = quick(), quick(warm_start=[str(runs["deep"])])
    spent = sum(one.split != "test" for one in warm.history)  # one dev look costs as much as one evaluation
    assert warm.summary.evaluations == spent + 2 <= QUICK["evaluations"]
    tokens = sum(one.usage.prompt_tokens for one in warm.history)
    assert warm.summary.prompt_tokens == tokens + 2 * warm.history[0].usage.prompt_tokens
    assert plain.summary.evaluations == sum(one.split != "test" for one in plain.history)
    with pytest.raises(BudgetError, match="ends before 2 starts are looked at"):
        quick(warm_start=[str(runs["deep"])], evaluations=2)


@pytest.mark.parametrize(
    "settings",
    [{"init": "mutual-information", "starts": 5}, {"warm_start": True}, {"warm_start": True, "projection": "bank"}],
    ids=["mutual information", "warm start", "bank"],
)
def test_a_resumed_run_equals_the_unbroken_one_also_when_the_bank_is_gone(
    runs: dict[str, Path], tmp_path: Path, settings: dict[str, Any]
) -> None:
    shutil.copytree(runs["deep"], tmp_path / "other")
    if "warm_start" in settings:
        settings = {**settings, "warm_start": [str(tmp_path / "other")], "prompt": "ab"}
    whole = quick(**settings)
    with pytest.raises(KeyboardInterrupt):
        quick(**settings, folder=tmp_path / "run", callbacks=[StopAfter()])
    shutil.rmtree(tmp_path / "other")
    resumed = resume(tmp_path / "run")
    assert facts(resumed.history) == facts(whole.history)
    assert resumed.summary.evaluations == whole.summary.evaluations


def test_a_damaged_opening_is_named(runs: dict[str, Path], tmp_path: Path) -> None:
    quick(warm_start=[str(runs["deep"])], folder=tmp_path / "run")
    file = tmp_path / "run" / "opening" / "opening.json"
    file.write_text(json.dumps({"start": True}))
    with pytest.raises(DamagedFileError, match="holds no opening"):
        resume(tmp_path / "run")


@pytest.mark.parametrize("space", KINDS)
def test_the_first_numbers_of_projection_bank_move_along_what_others_found(runs: dict[str, Path], space: str) -> None:
    parts, start = start_of(space, projection="bank", bank=[str(runs[space])])
    assert parts.opening.start is None and start.token_ids == tuple(b"ab")
    found = RunFolder(runs[space]).read_prompt().prompt
    backend, moved = FakeBackend(), np.zeros(parts.space.dimension)
    layers = parts.space.layers if space != "soft" else (0,)  # type: ignore[attr-defined]
    plain = vectors_of(backend.prefix_of(b"cd")) if space == "prefix" else dict.fromkeys(layers, np.float32(0))
    added = {layer: vectors_of(found)[layer] - plain[layer] for layer in layers}
    place = next(number for number, layer in enumerate(layers) if added[layer].any())
    moved[place * QUICK["dimension"]] = 1.0
    step = vectors_of(prompt_of(parts.space, moved))[layers[place]] - vectors_of(start)[layers[place]]
    expected = added[layers[place]]
    cosine = (step * expected).sum() / np.linalg.norm(step) / np.linalg.norm(expected)
    assert abs(cosine) == pytest.approx(1.0, abs=1e-5)


def test_the_start_with_the_highest_mutual_information_is_chosen() -> None:
    config = make_config({**QUICK, "init": "mutual-information", "starts": 4, "instructions": ["say", HELPFUL]})
    parts = make_parts(config, make_task())
    by_name = {one.name: one.value for one in parts.opening.scored}
    assert list(by_name)[:3] == ["ab", "say", HELPFUL]
    assert len(by_name) == 4
    start = prompt_of(parts.space, np.zeros(parts.space.dimension))
    assert isinstance(start, DeepPrompt)
    chosen = FakeBackend().decode(start.token_ids)
    assert by_name[chosen] == max(by_name.values()) == by_name[HELPFUL]


def test_labels_are_not_read() -> None:
    other = make_task()
    rows = [{**row, "label": "negative" if row["label"] == "positive" else "positive"} for row in other.train.rows]
    swapped = type(other).from_dict({**other.to_dict(), "train": rows})
    config = make_config({**QUICK, "prompt": None, "init": "mutual-information"})
    first, second = (make_opening(FakeBackend(), task, config).scored for task in (other, swapped))
    assert first == second


def test_the_pool_has_as_many_starts_as_asked_and_none_twice() -> None:
    config = make_config({**QUICK, "prompt": None, "init": "mutual-information", "starts": 9, "prompt_tokens": 6})
    found = pool(FakeBackend(), make_task(), config)
    assert len(set(found.values())) == len(found) == 9
    assert {len(tokens) for tokens in found.values()} == {6}
    assert " bad g" in found


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"space": "choices", "optimizer": "categorical", "warm_start": ["x"]}, SettingError, "space 'choices' begins"),
        ({"projection": "bank"}, SettingError, "'bank' needs prompts of other tasks"),
        ({"projection": "bank", "bank": ["deep"], "prompt": "abc"}, SettingError, "as long as this search's, 3"),
        ({"projection": "bank", "bank": ["deep"], "space": "soft"}, SettingError, "space 'soft' has SoftPrompts"),
        ({"projection": "bank", "bank": ["deep"], "space": "low-rank", "prompt_rank": 1}, SettingError, "16 numbers"),
        ({"warm_start": ["deep"], "space": "prefix"}, SettingError, "is a DeepPrompt, space 'prefix' has PrefixPromp"),
        ({"warm_start": ["deep"], "backend": FakeBackend(margin=3.0)}, MismatchError, "other weights"),
        ({"init": "mutual-information", "evaluations": 16}, BudgetError, "before 16 starts are looked at"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    runs: dict[str, Path], settings: dict[str, Any], error: type[Exception], message: str
) -> None:
    for name in ("warm_start", "bank"):
        if name in settings:
            settings = {**settings, name: [str(runs.get(path, path)) for path in settings[name]]}
    with pytest.raises(error, match=message):
        quick(**settings)


def test_mutual_information_needs_label_words() -> None:
    with pytest.raises(SettingError, match="rows and label words"):
        tune(make_target_task(), **{**QUICK, "init": "mutual-information"})


def test_nothing_is_kept_where_nothing_was_chosen(tmp_path: Path) -> None:
    quick(folder=tmp_path / "run")
    assert not (tmp_path / "run" / "opening").exists()
    Opening().save(tmp_path / "opening")
    assert not (tmp_path / "opening").exists()
