"""Small models, saved as folders that `from_pretrained` loads, and backends of them that share the loaded networks."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from blackbox.backends.local import LocalBackend
from tests.backends.local.models import KINDS, Kind, save_model
from tests.backends.local.tokenizers import word_tokenizer

Save = Callable[..., Path]
Load = Callable[..., LocalBackend]

pytest.register_assert_rewrite("tests.backends.local.family_contract")


@dataclass(frozen=True)
class Loaded:
    """A model of transformers with its tokenizer."""

    kind: Kind
    model: Any
    tokenizer: Any


@pytest.fixture(scope="session")
def saved_model(tmp_path_factory: pytest.TempPathFactory) -> Save:
    """Saves a random model of a kind with its tokenizer; returns the folder."""

    def save(kind: str, *, seed: int = 1) -> Path:
        folder = tmp_path_factory.getbasetemp() / f"{kind}-{seed}"
        if not folder.exists():
            save_model(KINDS[kind], folder, seed=seed)
        return folder

    return save


@pytest.fixture(scope="session")
def loaded(saved_model: Save) -> Callable[[str], Loaded]:
    """A random model of a kind, loaded once for all tests, in float32."""
    known: dict[str, Loaded] = {}

    def get(kind: str) -> Loaded:
        if kind not in known:
            model = KINDS[kind].load_class.from_pretrained(saved_model(kind))
            known[kind] = Loaded(KINDS[kind], model, word_tokenizer(KINDS[kind].tokenizer))
        return known[kind]

    return get


@pytest.fixture(scope="session")
def load(loaded: Callable[[str], Loaded]) -> Load:
    """A backend of a random model of a kind; all backends of a kind share its network."""

    def make(kind: str = "llama", **settings: Any) -> LocalBackend:
        one = loaded(kind)
        return LocalBackend(one.model, one.tokenizer, name=kind, model_hash=kind, **settings)

    return make


@pytest.fixture(scope="session")
def run_whole(load: Load) -> Callable[[str], LocalBackend]:
    """A backend that runs a random model of a kind whole, and keeps nothing: one for all tests."""
    return cache(lambda kind: load(kind, shortcuts=False))
