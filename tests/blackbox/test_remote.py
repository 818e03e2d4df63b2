"""Whole runs on a model behind a model server: the same run as in this process."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blackbox import resume, tune
from blackbox.backends import FakeBackend, KeyRefusedError, RemoteBackend, StoppedError
from blackbox.errors import MismatchError, SettingError
from blackbox.model_server import make_app
from tests.backends.api.conftest import no_proxy
from tests.backends.local.conftest import Load, load, loaded, saved_model
from tests.backends.remote.serving import running, serving
from tests.blackbox.small import QUICK, facts, make_target_task, make_task

__all__ = ["load", "loaded", "no_proxy", "saved_model"]

pytestmark = pytest.mark.usefixtures("without_pictures", "no_proxy")

SPACES: dict[str, dict[str, Any]] = {
    "deep": {"space": "deep", "optimizer": "blockwise:cma-es"},
    "soft": {"space": "soft", "optimizer": "cma-es"},
    "prefix": {"space": "prefix", "optimizer": "blockwise:cma-es"},
    "texts": {"space": "texts", "prompts": ["a", "classify it", "answer carefully"], "optimizer": "enumerate"},
    "choices": {"space": "choices", "optimizer": "evolution"},
}


@pytest.fixture
def url() -> Iterator[str]:
    with serving(FakeBackend()) as url:
        yield url


def settings(**changes: Any) -> dict[str, Any]:
    return {**QUICK, "evaluations": 40, **changes}


@pytest.mark.parametrize("space", SPACES)
def test_a_run_is_the_one_of_the_model_in_this_process(url: str, space: str) -> None:
    ours = settings(**SPACES[space])
    expected = tune(make_task(), **ours)
    found = tune(make_task(), **{**ours, "backend": "remote", "base_url": url})
    assert facts(found.history) == facts(expected.history)
    assert found.saved.model_hash == expected.saved.model_hash
    rows = [{"text": "A great day."}, {"text": "A bad one."}]
    assert found.predict(rows) == expected.predict(rows)


@pytest.mark.parametrize("space", ["deep", "prefix"])
def test_so_is_one_of_a_real_model_bit_for_bit(load: Load, space: str) -> None:
    ours = settings(**SPACES[space], prompt="it was great", evaluations=30)
    expected = tune(make_task(), backend=load(), **{key: value for key, value in ours.items() if key != "backend"})
    with serving(load()) as url:
        found = tune(make_task(), **{**ours, "backend": "remote", "base_url": url})
    assert [one.loss for one in found.history] == [one.loss for one in expected.history]


def test_so_is_one_whose_model_writes(url: str) -> None:
    ours = settings(space="texts", prompts=["a", "answer carefully"], optimizer="enumerate")
    expected = tune(make_target_task(metric="contains"), **ours)
    found = tune(make_target_task(metric="contains"), **{**ours, "backend": "remote", "base_url": url})
    assert facts(found.history) == facts(expected.history)


def test_threads_that_ask_at_the_same_time_change_nothing(url: str) -> None:
    ours = settings(**SPACES["deep"], population=8, slice_size=2)
    expected = tune(make_task(), **ours)
    found = tune(make_task(), **{**ours, "backend": "remote", "base_url": url, "executor": "threads", "workers": 4})
    assert facts(found.history) == facts(expected.history)


def test_a_run_that_its_server_stopped_goes_on_to_the_unbroken_result(tmp_path: Path) -> None:
    ours = settings(**SPACES["deep"], evaluations=60)
    expected = tune(make_task(), **ours)

    class Mortal(FakeBackend):
        """Fails for good after some calls."""

        left = 12

        def score(self, *arguments: Any) -> Any:
            self.left -= 1
            if self.left < 0:
                raise RuntimeError("the machine is broken")
            return super().score(*arguments)

    with serving(Mortal()) as url:
        with pytest.raises(StoppedError, match="fails at a call: it answered 500"):
            tune(make_task(), **{**ours, "backend": "remote", "base_url": url}, folder=tmp_path / "run")
        port = int(url.rpartition(":")[2])
    with running(make_app(FakeBackend()), port=port):
        found = resume(tmp_path / "run")
    assert facts(found.history) == facts(expected.history)


def test_a_run_does_not_go_on_with_another_model(tmp_path: Path) -> None:
    with serving(FakeBackend()) as url:
        tune(make_task(), **{**settings(), "backend": "remote", "base_url": url}, folder=tmp_path / "run")
    with running(make_app(FakeBackend(margin=3.0)), port=int(url.rpartition(":")[2])):
        with pytest.raises(MismatchError, match="began with another model hash"):
            resume(tmp_path / "run")


def test_a_model_that_is_exchanged_in_mid_run_stops_it() -> None:
    with serving(FakeBackend()) as url:
        backend = RemoteBackend(url)
    with running(make_app(FakeBackend(margin=3.0)), port=int(url.rpartition(":")[2])):
        with pytest.raises(StoppedError, match="has model 'fake' with hash .*, the call is for one with hash"):
            tune(make_task(), backend=backend, **{key: value for key, value in settings().items() if key != "backend"})
    backend.close()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"base_url": None}, "backend 'remote' needs `base_url`"),
        ({"model": "gpt2"}, r"the model at http://127.0.0.1:\d+ is 'fake', and the setting model 'gpt2'"),
        ({"dtype": "bfloat16"}, "has dtype float32, and the run bfloat16; set dtype"),
        ({"single_token_labels": True}, "has single_token_labels False, and the run True"),
    ],
)
def test_a_server_that_runs_its_model_otherwise_is_refused(url: str, wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        tune(make_task(), **{**settings(), "backend": "remote", "base_url": url, **wrong})


def test_elites_need_a_server_in_float32() -> None:
    class Coarse(FakeBackend):
        facts = {"family": "fake", "dtype": "bfloat16", "device": "cpu"}  # noqa: RUF012

    with serving(Coarse()) as url:
        with pytest.raises(SettingError, match="has dtype bfloat16, and the run float32"):
            tune(
                make_task(),
                **{**settings(), "backend": "remote", "base_url": url, "dtype": "bfloat16", "elites": 2},
            )


def test_a_token_goes_by_the_name_of_its_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOME_TOKEN", "sesame-4711")
    with serving(FakeBackend(), token="sesame-4711") as url:
        ours = {**settings(), "backend": "remote", "base_url": url}
        with pytest.raises(KeyRefusedError, match="401"):
            tune(make_task(), **ours)
        tune(make_task(), **ours, key_variable="SOME_TOKEN", folder=tmp_path / "run")
    for path in (tmp_path / "run").rglob("*"):
        assert path.is_dir() or b"sesame" not in path.read_bytes()
