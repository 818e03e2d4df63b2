"""What peft makes of an exported folder, by the program in its README, against the backend's scores."""

import json
import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from blackbox.backends import FakeBackend, Query, TextPrompt, Writing
from blackbox.backends.local import LocalBackend
from blackbox.errors import MismatchError, RunError, UnknownNameError
from blackbox.export import export_folder
from blackbox.finishing.finished import Finished
from blackbox.verbalizers.class_means import ClassMeans
from tests.backends.local.conftest import Save
from tests.backends.local.models import CAUSAL, ENCODER_DECODER, MASKED
from tests.blackbox.export.saving import TEXTS, from_folder, prompt_of, saved

WORDS = ("bad", "great", "fun", "love", "long", "quiet", "my", "of", *"abcdefgh")
EXACT = [
    *((kind, of, "PREFIX_TUNING") for kind in CAUSAL for of in ("deep", "prefix")),
    *((kind, "soft", "PROMPT_TUNING") for kind in CAUSAL if kind != "opt norm last"),
    ("opt norm last", "soft", "PREFIX_TUNING"),
    *((kind, "prefix", "PREFIX_TUNING") for kind in (*MASKED, "camembert", "xlm-roberta")),
    *((kind, "soft", "PROMPT_TUNING") for kind in ("t5", "t5 gated", "mt5")),
    ("falcon", "soft", "PROMPT_TUNING"),
]
INEXACT = [
    *((kind, "soft", "stands a norm or a map") for kind in MASKED),
    *((kind, "deep", "depends on the row") for kind in MASKED),
    *((kind, "prefix", "the cache of an encoder-decoder") for kind in ENCODER_DECODER),
    ("bart", "soft", "stands a norm or a map"),
    ("falcon", "deep", "are not to be had"),
]


def program(folder: Path) -> dict[str, Any]:
    """What the README's program defines: `model`, `tokenizer` and the function `logits`."""
    (code,) = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of peft, about transformers that move on
        exec(code, names)
    return names


def single_tokens(backend: LocalBackend) -> dict[str, int]:
    """The words that are one token of the model."""
    tokens = {word: backend.encode(word) for word in WORDS}
    return {word: ids[0] for word, ids in tokens.items() if len(ids) == 1}


@pytest.mark.parametrize(("kind", "of", "tuning"), EXACT)
def test_peft_answers_as_the_backend_does(saved_model: Save, tmp_path: Path, kind: str, of: str, tuning: str) -> None:
    backend = from_folder(saved_model, kind)
    prompt = prompt_of(of, backend)
    export_folder(saved(prompt, backend), backend, "peft", tmp_path)
    assert json.loads((tmp_path / "adapter_config.json").read_text())["peft_type"] == tuning
    logits = program(tmp_path)["logits"]
    tokens = single_tokens(backend)
    assert len(tokens) >= 8
    blank = "" if backend.frame.blank is None else backend.decode([backend.frame.blank]) + " ."
    for text in TEXTS:
        query = Query(f"{text} it was ", tuple(tokens), " ." if blank else "")
        expected = backend.score([prompt], [query]).log_probabilities[0, 0]
        found = logits(f"{text} it was {blank}".rstrip())[list(tokens.values())].double().log_softmax(-1)
        assert np.allclose(found.numpy(), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
@pytest.mark.parametrize("of", ["soft", "deep", "prefix"])
def test_peft_writes_what_the_backend_writes(saved_model: Save, tmp_path: Path, kind: str, of: str) -> None:
    backend = from_folder(saved_model, kind)
    prompt = prompt_of(of, backend)
    export_folder(saved(prompt, backend), backend, "peft", tmp_path)
    names = program(tmp_path)
    ids = torch.tensor([names["tokenizer"](TEXTS[1], add_special_tokens=False).input_ids])
    settings = {"attention_mask": torch.ones_like(ids), "max_new_tokens": 6, "do_sample": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of transformers, about peft's settings
        read_and_written = names["model"].generate(input_ids=ids, **settings)[0]
    found = backend.decode(read_and_written[ids.shape[1] :].tolist())
    ((expected,),) = backend.generate([prompt], [Query(TEXTS[1], ())], Writing(max_tokens=6)).written
    assert expected is not None
    assert expected.text
    assert found.removesuffix("</s>").strip() == expected.text


@pytest.mark.parametrize(("kind", "of", "reason"), INEXACT)
def test_what_peft_cannot_express_is_refused(
    saved_model: Save, tmp_path: Path, kind: str, of: str, reason: str
) -> None:
    backend = from_folder(saved_model, kind)
    with pytest.raises(RunError, match=reason) as refused:
        export_folder(saved(prompt_of(of, backend), backend), backend, "peft", tmp_path / "out")
    assert str(refused.value).startswith("format 'peft' cannot hold this ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", ["peft", "vllm"])
def test_a_prompt_that_moves_the_rows_stands_in_front_of_none(saved_model: Save, tmp_path: Path, form: str) -> None:
    backend = from_folder(saved_model, "llama")
    with pytest.raises(RunError, match=f"format '{form}' cannot hold this DecomposedPrompt"):
        export_folder(saved(prompt_of("decomposed", backend), backend), backend, form, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_label_that_is_offset_says_so(saved_model: Save, tmp_path: Path) -> None:
    backend = from_folder(saved_model, "llama")
    prompt = saved(prompt_of("soft", backend), backend)
    export_folder(prompt, backend, "peft", tmp_path)
    assert "offsets" not in (tmp_path / "README.md").read_text()
    offset = replace(prompt, finished=Finished(offsets=(0.5, -0.5)))
    export_folder(offset, backend, "peft", tmp_path)
    assert "The offsets that stand there" in (tmp_path / "README.md").read_text()
    assert json.loads((tmp_path / "task.json").read_text())["offsets"] == [0.5, -0.5]


def test_the_task_stands_beside_the_vectors(saved_model: Save, tmp_path: Path) -> None:
    backend = from_folder(saved_model, "roberta")
    export_folder(saved(prompt_of("prefix", backend), backend), backend, "peft", tmp_path)
    task = json.loads((tmp_path / "task.json").read_text())
    assert (task["before"], task["after"]) == ("{text} it was ", " .")
    assert task["label_words"] == {"negative": "bad", "positive": "great"}
    assert (task["begin"], task["end"], task["blank"], task["first_position"]) == ([0], [2], 4, 2)


def test_only_the_prompts_own_model_is_written_from(saved_model: Save, tmp_path: Path) -> None:
    backend, other = from_folder(saved_model, "llama"), from_folder(saved_model, "gpt2")
    prompt = saved(prompt_of("soft", backend), backend)
    with pytest.raises(MismatchError, match="was tuned for model"):
        export_folder(prompt, other, "peft", tmp_path)
    with pytest.raises(RunError, match="needs the prompt's model at hand .*, got FakeBackend"):
        export_folder(prompt, FakeBackend(), "peft", tmp_path)
    with pytest.raises(UnknownNameError, match="unknown format 'peftt'; did you mean 'peft'"):
        export_folder(prompt, backend, "peftt", tmp_path)
    average = replace(prompt, prompt=TextPrompt("it"), finished=Finished((TextPrompt("it"), TextPrompt("a film"))))
    with pytest.raises(RunError, match="an average of 2, and format 'peft' has room for one"):
        export_folder(average, backend, "peft", tmp_path)
    robust = replace(prompt, finished=Finished(templates=("{text} {label}", "{text}: {label}", "{label} {text}")))
    with pytest.raises(RunError, match="an average of 3, and format 'peft' has room for one"):
        export_folder(robust, backend, "peft", tmp_path)
    means = replace(prompt, readout=ClassMeans(np.zeros(32), np.zeros((2, 32)), 1.0))
    with pytest.raises(RunError, match="told by hidden states of its model, and format 'peft' has none"):
        export_folder(means, backend, "peft", tmp_path)
    assert list(tmp_path.iterdir()) == []
