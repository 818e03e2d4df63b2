"""What the exported request and program are to vLLM's server; it is a stand-in, see tests/backends/vllm/standin.py."""

import json
import runpy
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np
import pytest

from blackbox.backends import SoftPrompt
from blackbox.backends.api import Endpoint, Ledger, Limits, Patience, Transport
from blackbox.backends.local import LocalBackend
from blackbox.backends.vllm import load_vllm
from blackbox.errors import RunError
from blackbox.export import export_folder
from tests.backends.local.candidates import TOKENS, vectors
from tests.backends.local.conftest import Save
from tests.backends.vllm.standin import StandIn, serving
from tests.blackbox.export.saving import TEXTS, from_folder, prompt_of, saved

pytestmark = pytest.mark.usefixtures("no_proxy")
ROWS = [{"text": text} for text in TEXTS]


def stand_in(backend: LocalBackend) -> StandIn:
    return StandIn(backend.model, backend._tokenizer, name=backend.name)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "mistral"])
def test_the_program_scores_rows_as_the_backend_does(saved_model: Save, tmp_path: Path, kind: str) -> None:
    backend = from_folder(saved_model, kind)
    prompt = saved(prompt_of("soft", backend), backend, words=("bad", "great fun"))
    export_folder(prompt, backend, "vllm", tmp_path)
    expected = prompt.finished.score(backend, prompt.prompt, ROWS, prompt.form)[0]
    with serving(stand_in(backend)) as url:
        served = runpy.run_path(str(tmp_path / "ask.py"))["Served"](url)
        found = [list(served.scores(row).values()) for row in ROWS]
    assert np.allclose(found, expected, atol=1e-4, rtol=0)


def test_the_request_itself_is_taken(saved_model: Save, tmp_path: Path) -> None:
    backend = from_folder(saved_model, "llama")
    export_folder(saved(prompt_of("soft", backend), backend), backend, "vllm", tmp_path)
    with serving(server := stand_in(backend)) as url:
        body = (tmp_path / "request.json").read_bytes()
        with urlopen(Request(url + "/completions", body, {"Content-Type": "application/json"})) as answer:
            told = json.load(answer)
    assert told["usage"]["prompt_tokens"] == len(TOKENS) + 1  # what a text begins with is one
    assert server.asked[0]["model"] == backend.name


def test_the_program_reads_rows_and_prints_scores(saved_model: Save, tmp_path: Path) -> None:
    backend = from_folder(saved_model, "llama")
    prompt = saved(prompt_of("soft", backend), backend)
    export_folder(prompt, backend, "vllm", tmp_path)
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    with serving(stand_in(backend)) as url:
        program = [sys.executable, "-I", str(tmp_path / "ask.py"), url, str(saved_model("llama"))]
        ran = subprocess.run(program, input=lines, capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    expected = prompt.finished.score(backend, prompt.prompt, ROWS, prompt.form)[0]
    assert np.allclose([[one["negative"], one["positive"]] for one in found], expected, atol=1e-4, rtol=0)


def test_a_run_on_vllm_needs_no_other_model_to_be_exported(saved_model: Save, tmp_path: Path) -> None:
    local = from_folder(saved_model, "llama")
    prompt = SoftPrompt(TOKENS, vectors(1))
    with serving(stand_in(local)) as url:
        transport = Transport(Endpoint(url, {}), ledger=Ledger(Limits()), patience=Patience())
        backend = load_vllm(local.name, transport)
        export_folder(saved(prompt, backend), backend, "vllm", tmp_path / "served")
        with pytest.raises(
            RunError, match="format 'vllm' cannot hold this DeepPrompt .* backend .* takes soft prompts"
        ):
            export_folder(saved(prompt_of("deep", local), backend), backend, "vllm", tmp_path / "deep")
        backend.close()
    export_folder(saved(prompt, local), local, "vllm", tmp_path / "local")
    assert (tmp_path / "served" / "request.json").read_text() == (tmp_path / "local" / "request.json").read_text()


@pytest.mark.parametrize(
    ("kind", "of", "reason"),
    [("llama", "deep", "cannot be written as embeddings"), ("t5", "soft", "read left to right, not encoder")],
)
def test_what_is_no_sequence_of_embeddings_is_refused(
    saved_model: Save, tmp_path: Path, kind: str, of: str, reason: str
) -> None:
    backend = from_folder(saved_model, kind)
    with pytest.raises(RunError, match=reason):
        export_folder(saved(prompt_of(of, backend), backend), backend, "vllm", tmp_path / "out")
    assert not (tmp_path / "out").exists()
