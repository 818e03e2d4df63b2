import weakref
from pathlib import Path

import pytest

from blackbox.backends import Backend, FakeBackend
from blackbox.build import make_backend
from blackbox.config import Config, make_config
from blackbox.loaded_models import LoadedModels, model_key, once


class Loader:
    """Makes a backend for each call, and remembers which."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.made: list[weakref.ref[Backend]] = []

    def __call__(self, config: Config) -> Backend:
        backend = FakeBackend()
        self.loaded.append(config.model)
        self.made.append(weakref.ref(backend))
        return backend


def test_a_model_is_loaded_once_for_the_runs_that_name_it() -> None:
    load, models = Loader(), LoadedModels()
    make = once(load)
    backends = []
    for seed in (1, 2):
        with models.shared():
            backends.append(make(make_config({"model": "a", "seed": seed, "answer_tokens": seed})))
    assert load.loaded == ["a"]
    assert backends[0] is backends[1]


def test_a_run_may_have_several_models_and_the_next_run_finds_them_all() -> None:
    load, models = Loader(), LoadedModels()
    make = once(load)
    for _ in range(2):
        with models.shared():
            for model in "ab":
                make(make_config({"model": model}))
    assert load.loaded == ["a", "b"]


def test_models_that_a_run_does_not_ask_for_are_let_go_before_another_is_loaded() -> None:
    load, models = Loader(), LoadedModels()
    make = once(load)
    for model in "aab":
        with models.shared():
            make(make_config({"model": model}))
    assert load.loaded == ["a", "b"]
    assert [backend() is None for backend in load.made] == [True, False]


def test_outside_every_call_loads_anew() -> None:
    load = Loader()
    make = once(load)
    with LoadedModels().shared():
        make(make_config({}))
    make(make_config({}))
    assert len(load.loaded) == 2


@pytest.mark.parametrize("change", [{"model": "b"}, {"dtype": "bfloat16"}, {"single_token_labels": True}])
def test_models_of_other_settings_are_others(change: dict[str, object]) -> None:
    assert model_key(make_config({"model": "a", **change})) != model_key(make_config({"model": "a"}))


def test_a_local_model_is_shared_and_what_an_endpoint_or_a_pretended_model_is_made_of_is_not(tmp_path: Path) -> None:
    local = pytest.importorskip("tests.backends.local.models")
    local.save_model(local.KINDS["llama"], tmp_path / "model", seed=1)
    config, fake = make_config({"model": str(tmp_path / "model")}), make_config({"backend": "fake"})
    with LoadedModels().shared():
        assert make_backend(config) is make_backend(config.model_copy(update={"seed": 3}))
        assert make_backend(fake) is not make_backend(fake)
