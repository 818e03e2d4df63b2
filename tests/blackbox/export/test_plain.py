"""What the exported program answers, with no part of blackbox, against the backend's scores."""

import json
import runpy
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from blackbox.errors import RunError
from blackbox.export import export_folder
from blackbox.finishing.finished import Finished
from blackbox.saved_prompt import SavedPrompt
from tests.backends.local.conftest import Save
from tests.blackbox.export.saving import TEXTS, from_folder, prompt_of, saved
from tests.blackbox.small import make_target_task

ROWS = [{"text": text} for text in TEXTS]
CASES = [
    ("llama", "soft", "embeddings"),
    ("llama", "deep", "keys_values"),
    ("qwen3", "prefix", "keys_values"),
    ("gpt2", "deep", "keys_values"),
    ("opt norm last", "soft", "keys_values"),
    ("falcon", "deep", "0 2"),
    ("roberta", "soft", "0"),
    ("roberta", "prefix", "keys_values"),
    ("bert", "deep", "0 2"),
    ("bert", "prefix", "keys_values"),
    ("t5 gated", "soft", "embeddings"),
    ("t5 gated", "deep", "0 2"),
    ("bart", "soft", "0"),
    *((kind, "decomposed", "0") for kind in ("llama", "roberta", "t5 gated")),
]


def scores(folder: Path, rows: Sequence[dict[str, Any]]) -> np.ndarray:
    """What the folder's program answers in this process."""
    prompted = runpy.run_path(str(folder / "score.py"))["Prompted"]()
    return np.array([list(prompted.scores(row).values()) for row in rows])


@pytest.mark.parametrize(("kind", "of", "arrays"), CASES)
def test_transformers_alone_answers_as_the_backend_does(
    saved_model: Save, tmp_path: Path, kind: str, of: str, arrays: str
) -> None:
    backend = from_folder(saved_model, kind)
    prompt = saved(prompt_of(of, backend), backend, words=("bad", "great fun"))
    export_folder(prompt, backend, "transformers", tmp_path)
    assert " ".join(sorted(load_file(tmp_path / "prompt.safetensors"))) == arrays
    expected = prompt.finished.score(backend, prompt.prompt, ROWS, prompt.form)[0]
    assert np.allclose(scores(tmp_path, ROWS), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize(("kind", "of"), [("gpt2", "prefix"), ("t5 gated", "soft"), ("bart", "deep")])
def test_targets_are_scored_as_the_backend_does(saved_model: Save, tmp_path: Path, kind: str, of: str) -> None:
    backend = from_folder(saved_model, kind)
    task = make_target_task(template="{question} {label}")
    prompt = SavedPrompt.of(prompt_of(of, backend), backend=backend, task=task, scores={})
    export_folder(prompt, backend, "transformers", tmp_path)
    rows = [
        {"question": text, "target": target} for text, target in zip(TEXTS, ("fun", "a bad film", "x"), strict=True)
    ]
    expected = backend.score([prompt.prompt], prompt.form.queries(rows, where="rows")).log_probabilities[0]
    listed = [*rows[:2], {**rows[2], "target": ["x", "y"]}]
    assert np.allclose(scores(tmp_path, listed), expected, atol=1e-4, rtol=0)


def test_offsets_of_labels_are_added(saved_model: Save, tmp_path: Path) -> None:
    backend = from_folder(saved_model, "llama")
    plain = saved(prompt_of("soft", backend), backend, words=("bad", "great"))
    offset = replace(plain, finished=Finished(offsets=(1.5, -0.5)))
    export_folder(offset, backend, "transformers", tmp_path)
    expected = offset.finished.score(backend, offset.prompt, ROWS, offset.form)[0]
    assert np.allclose(scores(tmp_path, ROWS), expected, atol=1e-4, rtol=0)


def test_the_program_reads_rows_and_prints_scores(saved_model: Save, tmp_path: Path) -> None:
    backend = from_folder(saved_model, "roberta")
    prompt = saved(prompt_of("deep", backend), backend, words=("bad", "great"))
    export_folder(prompt, backend, "transformers", tmp_path)
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    program = [sys.executable, "-I", str(tmp_path / "score.py"), str(saved_model("roberta"))]
    ran = subprocess.run(program, input=lines, capture_output=True, text=True, check=True, cwd=tmp_path.parent)
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [list(one) for one in found] == [["negative", "positive"]] * len(ROWS)
    expected = prompt.finished.score(backend, prompt.prompt, ROWS, prompt.form)[0]
    assert np.allclose([list(one.values()) for one in found], expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind", ["t5", "bart"])
def test_a_prefix_of_an_encoder_decoder_is_refused(saved_model: Save, tmp_path: Path, kind: str) -> None:
    backend = from_folder(saved_model, kind)
    with pytest.raises(RunError, match="format 'transformers' cannot hold this PrefixPrompt"):
        export_folder(saved(prompt_of("prefix", backend), backend), backend, "transformers", tmp_path)
