"""The operator's file of models."""

from pathlib import Path
from typing import Any

import pytest

from blackbox.errors import SettingError, UnknownNameError
from blackbox.service.jobs.request import JobRequest
from blackbox.service.operator import Operator, default_operator, read_operator
from blackbox.service.store import JobBudget

FILE = """
[backends.small]
description = "On this machine."
backend = "local"
model = "/srv/secret/models/small"
executor = "ray"
workers = 2
max_evaluations = 500
max_seconds = 60.0

[backends.hosted]
backend = "openai"
model = "big"
base_url = "https://user:secret@models.example/v1"
key_variable = "SECRET_KEY"
usd_per_million_prompt_tokens = 1.0
usd_per_million_completion_tokens = 2.0
max_usd = 2.0
"""


def read(tmp_path: Path, text: str) -> Operator:
    path = tmp_path / "backends.toml"
    path.write_text(text)
    return read_operator(path)


def request(backend: str = "small", **settings: Any) -> JobRequest:
    proposer = settings.pop("proposer", None)
    return JobRequest.of(
        {"backend": backend, "training_file": "f", "proposer": proposer, "settings": {"evaluations": 100, **settings}}
    )


def test_those_who_hand_in_jobs_see_no_address_no_key_and_no_path(tmp_path: Path) -> None:
    small, hosted = read(tmp_path, FILE).public()
    assert (small.name, small.kind, small.model) == ("small", "local", "small")
    assert small.limits == {"evaluations": 500, "seconds": 60.0}
    assert (hosted.name, hosted.model, hosted.limits) == ("hosted", "big", {"max_usd": 2.0})
    assert hosted.usd_per_million_completion_tokens == 2.0
    assert not any(word in repr((small, hosted)) for word in ("secret", "SECRET", "example", "/srv"))


def test_a_run_has_the_operators_model_and_the_requests_search(tmp_path: Path) -> None:
    config = read(tmp_path, FILE).config(request(dimension=7), files={"train": "/job/train.csv"})
    assert (config.model, config.executor, config.workers) == ("/srv/secret/models/small", "ray", 2)
    assert (config.dimension, config.evaluations, config.seconds) == (7, 100, 60.0)
    assert config.train == "/job/train.csv"


def test_a_limit_of_the_operator_is_the_default_and_the_most(tmp_path: Path) -> None:
    operator = read(tmp_path, FILE)
    assert operator.check(request("hosted")) == JobBudget(100, 2.0)
    assert operator.check(request("hosted", max_usd=0.5)) == JobBudget(100, 0.5)


@pytest.mark.parametrize(
    ("backend", "settings", "told"),
    [
        ("hosted", {"max_usd": 2.5}, "'max_usd': backend 'hosted' allows at most 2.0, got 2.5"),
        ("hosted", {"max_usd": "2.5"}, "'max_usd'"),
        ("hosted", {"max_usd": None}, "'max_usd'"),
        ("small", {"seconds": 61}, "'seconds'"),
        ("small", {"evaluations": 501}, "'evaluations': backend 'small' allows at most 500"),
        ("small", {"evaluations": None}, "'evaluations'"),
        ("small", {"preset": "bbtv2", "evaluations": "8000"}, "'evaluations'"),
        ("hosted", {"dimension": 10**9}, "'dimension': must be at most"),
        ("hosted", {"population": str(10**9)}, "'population': must be at most"),
        ("hosted", {"answer_tokens": 10**9}, "'answer_tokens': must be at most"),
        ("hosted", {"optimizer": "nothing"}, "unknown optimizer 'nothing'"),
        ("hosted", {"space": "../x"}, "unknown"),
        ("hosted", {"space": "projected-instruction"}, "needs a proposer"),
    ],
)
def test_what_the_operator_does_not_allow_is_refused(
    tmp_path: Path, backend: str, settings: dict[str, Any], told: str
) -> None:
    with pytest.raises(SettingError, match=told):
        read(tmp_path, FILE).check(request(backend, **settings))


def test_a_preset_is_within_the_limits_too(tmp_path: Path) -> None:
    job = JobRequest.of({"backend": "small", "training_file": "f", "settings": {"preset": "bbtv2"}})
    with pytest.raises(SettingError, match="allows at most 500, got 8000"):
        read(tmp_path, FILE).check(job)


def test_a_proposer_is_one_of_the_operators_models_with_its_address_and_price(tmp_path: Path) -> None:
    operator = read(tmp_path, FILE)
    config = operator.config(request("small", proposer="hosted"))
    assert (config.proposer_backend, config.proposer_model) == ("openai", "big")
    assert config.proposer_key_variable == "SECRET_KEY"
    assert config.proposer_usd_per_million_prompt_tokens == 1.0
    assert operator.config(request("small", proposer="none")).proposer_backend == "none"
    with pytest.raises(UnknownNameError, match="unknown backend 'https://evil'"):
        operator.config(request("small", proposer="https://evil"))


def test_an_unknown_backend_is_refused_with_the_nearest_known_one(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'small'"):
        read(tmp_path, FILE).check(request("smal"))


def test_a_prompt_is_used_without_a_searchs_limits(tmp_path: Path) -> None:
    config = read(tmp_path, FILE).using("hosted")
    assert (config.model, config.max_usd) == ("big", None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", r"must have a \[backends.NAME\]"),
        ("x = ", "is no TOML"),
        ('[backend.a]\nbackend = "fake"', "did you mean 'backends'"),
        ("[backends]\na = 1", "must be a table"),
        ('[backends.a]\nbackend = "fak"', "unknown backend 'fak'; did you mean 'fake'"),
        ('[backends.a]\nbakend = "fake"', r"unknown key of \[backends.a\] 'bakend'; did you mean 'backend'"),
        ("[backends.a]\nmax_usd = -1", "max_usd"),
        ('[backends.a]\nbackend = "fake"\nanswers = "x"', "each job keeps its own"),
        ('[backends."a b"]\nbackend = "fake"', "must be called by"),
        ('[backends.none]\nbackend = "fake"', "must be called by"),
        ('[backends.a]\nbackend = "fake"\nworkers = 3', "executor 'serial' has one"),
        ("[backends.a]\nevaluations = 3", "unknown key"),
    ],
)
def test_a_file_that_is_wrong_is_refused_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingError, match=told) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_file_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="No such file"):
        read_operator(tmp_path / "none.toml")


def test_without_a_file_there_is_a_model_to_try_the_service_out() -> None:
    names = [backend.name for backend in default_operator().public()]
    assert names[-1] == "fake"
    assert read_operator(None) == default_operator()
