from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from benchmarks.few_shot.adapters import ADAPTERS
from benchmarks.few_shot.fitted import UnfitError
from benchmarks.few_shot.gradients import train
from benchmarks.few_shot.searches import demonstrations
from blackbox import Task
from blackbox.backends import Query, TextPrompt
from blackbox.backends.local import LocalBackend
from blackbox.backends.local.encoding import QueryEncoder
from blackbox.backends.local.reading import query_encoder
from blackbox.losses import CrossEntropy
from tests.backends.local.models import KINDS, save_model
from tests.backends.local.rows import ALIKE, LABELS, LETTERS, WORDS
from tests.backends.local.tokenizers import word_tokenizer

START = "a film about life"
WORDS_OF = {"bad": "bad", "good": "great fun"}
pytestmark = [
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning"),  # peft 0.21
    pytest.mark.filterwarnings("ignore:Could not find a config file:UserWarning"),
]


def model_of(kind: str, folder: Path) -> tuple[LocalBackend, QueryEncoder]:
    """A random model of its own: adapters change it."""
    save_model(KINDS[kind], folder, seed=1)
    model, tokenizer = KINDS[kind].load_class.from_pretrained(folder), word_tokenizer(KINDS[kind].tokenizer)
    backend = LocalBackend(model, tokenizer, name=kind, model_hash=kind, shortcuts=False)
    return backend, query_encoder(model, tokenizer, single_token_labels=False)


def make_task() -> Task:
    rows = [
        {"text": f"{text} {number % 3 * 'and '}", "label": label}
        for number in range(6)
        for text, label in (("the worst evening", "bad"), ("great love of my life", "good"))
    ]
    return Task(rows[:8], dev=rows[8:], template="{text} it was {label}", label_words=WORDS_OF)


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        *((kind, "llama") for kind in ADAPTERS),
        *((kind, "gpt2") for kind in ("prompt", "prefix", "deep")),
        *((kind, "bert") for kind in ("lora", "deep")),
    ],
)
@pytest.mark.parametrize("queries", [LABELS, WORDS, LETTERS, ALIKE], ids=["labels", "words", "letters", "alike"])
def test_before_training_the_scores_are_those_of_the_starting_text(
    kind: str, model: str, queries: list[Query], tmp_path: Path
) -> None:
    backend, encoder = model_of(model, tmp_path)
    expected = backend.score([TextPrompt(START)], queries).log_probabilities[0]
    asker, _ = ADAPTERS[kind](backend, encoder, backend.encode(START))
    with torch.no_grad():
        told = asker.log_probabilities(asker.rows(queries), n_options=len(queries[0].options))
    np.testing.assert_allclose(told.numpy(), expected, atol=2e-5)


@pytest.mark.parametrize("kind", ADAPTERS)
def test_training_lowers_the_loss_that_searches_go_by_and_keeps_the_best_on_dev(kind: str, tmp_path: Path) -> None:
    task, (backend, encoder) = make_task(), model_of("llama", tmp_path)
    before = dev_loss(backend.score([TextPrompt(START)], task.dev.queries).log_probabilities, task.dev.labels)
    start = backend.encode(START)
    fitted = train(backend, encoder, task, kind=kind, start=start, rates=(1e-3, 2e-2), epochs=6, seed=1)
    assert fitted.details["dev_loss"] < before
    assert fitted.details["dev"] == np.mean(fitted.predict(task.dev) == task.dev.labels)
    assert fitted.details["epoch"] > 0
    assert (fitted.forward_rows, fitted.backward_rows) == (2 * 6 * 8 + 13 * 4, 2 * 6 * 8)


def test_where_no_epoch_is_better_on_dev_the_start_is_kept(tmp_path: Path) -> None:
    task, (backend, encoder) = make_task(), model_of("llama", tmp_path)
    start = TextPrompt(START)
    expected = backend.score([start], task.dev.queries).log_probabilities[0]
    right = expected.argmax(axis=-1)
    task = task.changed(
        dev=[{**row, "label": list(WORDS_OF)[label]} for row, label in zip(task.dev.rows, right, strict=True)]
    )
    task = task.changed(train=[{**row, "label": "good"} for row in task.train.rows[1:]] + [task.train.rows[0]])
    fitted = train(backend, encoder, task, kind="deep", start=backend.encode(START), rates=(1.0,), epochs=2, seed=1)
    assert (fitted.details["epoch"], fitted.details["dev"]) == (0, 1.0)
    np.testing.assert_array_equal(fitted.predict(task.dev), right)


def test_as_many_numbers_are_tuned_as_each_method_has(tmp_path: Path) -> None:
    sizes = {}
    for kind, adapter in ADAPTERS.items():
        backend, encoder = model_of("llama", tmp_path / kind)
        sizes[kind] = sum(number.numel() for number in adapter(backend, encoder, backend.encode(START))[1])
    width, layers, heads, size, rank = 32, 4, 2, 8, 8
    positions = 5  # the start's four words behind the token that begins every text
    assert sizes == {
        "prompt": positions * width,
        "prefix": positions * layers * 2 * heads * size,
        "lora": layers * rank * ((width + width) + (width + heads * size)),
        "deep": layers * 4 * width,
    }


@pytest.mark.parametrize("kind", ["prompt", "prefix"])
def test_what_peft_has_for_models_that_read_left_to_right_alone_is_left_out_of_others(
    kind: str, tmp_path: Path
) -> None:
    backend, encoder = model_of("bert", tmp_path)
    with pytest.raises(UnfitError, match="left to right"):
        ADAPTERS[kind](backend, encoder, backend.encode(START))


def test_as_many_rows_are_shown_as_fit_one_of_each_label_by_turns(tmp_path: Path) -> None:
    task, (backend, _) = make_task(), model_of("llama", tmp_path)
    few = demonstrations(backend, task, START, most_tokens=60, seed=1)
    assert 1 <= few.details["shown"] < len(task.train)
    assert demonstrations(backend, task, START, most_tokens=4000, seed=1).details["shown"] == len(task.train)
    assert set(few.predict(task.dev)) <= {0, 1}


def dev_loss(scores: npt.NDArray[np.float64], labels: npt.NDArray[np.int64]) -> float:
    return float(CrossEntropy()(scores, labels)[0])
