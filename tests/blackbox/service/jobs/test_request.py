"""What may be handed in."""

import pytest

from blackbox.config import Config
from blackbox.errors import SettingError
from blackbox.service.jobs.request import ALLOWED, MOST, JobRequest

LEAST = {"backend": "fake", "training_file": "file-1"}

FORBIDDEN = [
    "train",
    "dev",
    "test",
    "backend",
    "model",
    "model_files",
    "revision",
    "dtype",
    "device",
    "base_url",
    "key_variable",
    "endpoint",
    "answers",
    "warm_start",
    "bank",
    "parallel",
    "usd_per_million_prompt_tokens",
    "proposer_backend",
    "proposer_model",
    "proposer_base_url",
    "proposer_key_variable",
    "executor",
    "workers",
    "threads",
    "ray_address",
    "ray_package",
    "gpus_per_worker",
]


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_setting_that_names_a_model_a_path_or_an_address_is_refused(name: str) -> None:
    assert name in Config.model_fields
    with pytest.raises(SettingError, match=f"unknown setting '{name}'"):
        JobRequest.of({**LEAST, "settings": {name: "x"}})


def test_a_setting_that_is_new_in_the_library_is_refused_until_somebody_has_looked_at_it() -> None:
    known = ALLOWED | set(FORBIDDEN)
    assert set(Config.model_fields) - known == {
        "batch_tokens",
        "cache_bytes",
        "cache_on",
        "single_token_labels",
        "scoring",
        "call_seconds",
        "outage_seconds",
        "usd_per_million_completion_tokens",
        "proposer_usd_per_million_prompt_tokens",
        "proposer_usd_per_million_completion_tokens",
        "worker_seconds",
    }
    assert set(Config.model_fields) >= ALLOWED
    assert set(MOST) <= ALLOWED


@pytest.mark.parametrize("name", ["prompts", "instructions"])
def test_texts_stand_in_the_request_and_not_in_a_file(name: str) -> None:
    JobRequest.of({**LEAST, "settings": {name: ["a", "b"]}})
    with pytest.raises(SettingError, match=f"setting '{name}': must be a list"):
        JobRequest.of({**LEAST, "settings": {name: "/etc/passwd"}})


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"training_file": "f"}, "'backend'"),
        ({"backend": "b"}, "'training_file'"),
        ({**LEAST, "train": "x"}, "unknown key of a job 'train'"),
        ({**LEAST, "settings": []}, "'settings'"),
        ({**LEAST, "backend": ""}, "'backend'"),
        ({**LEAST, "settings": {"populaton": 3}}, "did you mean 'population'"),
    ],
)
def test_what_is_no_request_is_refused_in_one_line(values: dict[str, object], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        JobRequest.of(values)


def test_a_request_names_its_files_by_what_they_are_for() -> None:
    request = JobRequest.of({**LEAST, "test_file": "file-2"})
    assert request.files == {"train": "file-1", "test": "file-2"}
    assert JobRequest.of(request.model_dump()) == request
