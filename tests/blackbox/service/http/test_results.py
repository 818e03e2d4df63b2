"""What a job has found, over HTTP: a worker process has done the jobs that are asked for here."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.faulty import FaultyServer, Plan
from blackbox import Client, Predictor, SavedPrompt
from blackbox.backends import FakeBackend
from blackbox.service.http.prompts import prompt_files
from blackbox.service.operator import read_operator
from blackbox.service.store import Quotas
from tests.blackbox.service.http.running import SETTINGS, Running, running
from tests.blackbox.service.worker.service import wait_for_end, worker


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One with a worker, a model that costs nothing and one that costs."""
    folder = tmp_path_factory.mktemp("service")
    with pytest.MonkeyPatch.context() as patch, FaultyServer(Plan()) as endpoint:
        patch.setenv("NO_PROXY", "*")
        patch.delenv("OPENAI_API_KEY", raising=False)
        prices = "usd_per_million_prompt_tokens = 1000\nusd_per_million_completion_tokens = 1000\n"
        paid = f'[backends.paid]\nbackend = "openai"\nmodel = "m"\nbase_url = "{endpoint.base_url}"\n{prices}'
        file = folder / "backends.toml"
        file.write_text(f'[backends.fake]\nbackend = "fake"\n{paid}')
        url = f"sqlite:///{folder / 'service.sqlite'}"
        with running(folder, with_token=True, operator=read_operator(file)) as found:
            with worker(url, folder / "worker", "--backends", str(file)):
                yield found


def done(service: Running, *, token: str | None = None, backend: str = "fake") -> str:
    """The id of a job that has ended well."""
    job = service.submit(token=token, backend=backend)["id"]
    ended = wait_for_end(service.store, service.store.jobs.get(job, owner=None))
    assert ended.status == "succeeded", ended.error
    return str(job)


@pytest.fixture(scope="module")
def job(service: Running) -> str:
    """One of the model that costs nothing."""
    return done(service)


def test_a_result_is_the_saved_prompt(service: Running, job: str) -> None:
    found = service.ask("GET", f"/v1/tuning/jobs/{job}/result").json()
    assert found["prompt"]["text"] in SETTINGS["prompts"]
    assert found["summary"]["status"] == "succeeded"
    assert [file["name"] for file in found["files"]] == ["prompt.json"]


def test_a_result_as_a_file_is_what_the_library_loads(service: Running, job: str, tmp_path: Path) -> None:
    answer = service.ask("GET", f"/v1/tuning/jobs/{job}/result", params={"format": "zip"})
    assert answer.headers["content-type"] == "application/zip"
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(tmp_path)
    assert SavedPrompt.load(tmp_path).text in SETTINGS["prompts"]


def test_rows_are_answered_as_the_library_answers_them(service: Running, job: str, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"text": "a great film"},
        {"text": "an awful film"},
        {"text": "a great day", "unused": 1},
    ]
    answer = service.ask("POST", f"/v1/tuning/jobs/{job}/predict", json={"rows": rows})
    (tmp_path / "prompt.json").write_bytes(service.store.artifacts.read(job, "prompt/prompt.json"))
    own = Predictor(FakeBackend(), SavedPrompt.load(tmp_path)).predict(rows)
    assert {one.answer for one in own} == {"good", "bad"}
    assert answer.json()["data"] == [{"answer": one.answer, "probabilities": one.probabilities} for one in own]


@pytest.mark.parametrize("rows", [[], [{}], [{"txt": "x"}], [{"text": "x"}] * 65, [{"text": ["x"]}], [{"text": None}]])
def test_rows_that_cannot_be_answered_are_refused(service: Running, job: str, rows: list[object]) -> None:
    assert service.ask("POST", f"/v1/tuning/jobs/{job}/predict", json={"rows": rows}).status_code == 422


def test_evaluations_and_checkpoints_have_pages(service: Running, job: str) -> None:
    first = service.ask("GET", f"/v1/tuning/jobs/{job}/evaluations", params={"limit": 2}).json()
    rest = service.ask("GET", f"/v1/tuning/jobs/{job}/evaluations", params={"after": first["last_id"]}).json()
    numbers = [one["number"] for one in first["data"] + rest["data"]]
    assert numbers == list(range(len(numbers)))
    assert (len(first["data"]), first["has_more"], rest["has_more"]) == (2, True, False)
    checkpoints = service.ask("GET", f"/v1/tuning/jobs/{job}/checkpoints").json()["data"]
    assert checkpoints[-1]["prompt"] in SETTINGS["prompts"]
    with Client(service.url, token=service.token) as client:
        assert list(client.jobs.checkpoints(job).data) == checkpoints
        assert [one["number"] for one in client.jobs.evaluations(job).data] == numbers
        assert client.jobs.result(job).prompt["text"] in SETTINGS["prompts"]


def test_predictions_of_a_model_that_costs_count_against_the_quota(service: Running) -> None:
    token, secret = service.store.tokens.create("poor", "submit", quotas=Quotas(usd=1000.0))
    job = done(service, token=secret, backend="paid")
    before = service.store.tokens.get(token.id).used_usd
    rows = {"rows": [{"text": "nobody has asked this before"}]}
    answer = service.ask("POST", f"/v1/tuning/jobs/{job}/predict", json=rows, token=secret)
    assert answer.status_code == 200, answer.text
    assert service.store.tokens.get(token.id).used_usd > before > 0
    service.store.tokens.charge(token.id, usd=1000.0)
    refused = service.ask("POST", f"/v1/tuning/jobs/{job}/predict", json=rows, token=secret)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "quota_exceeded")


def test_the_folder_of_a_model_is_not_shown(service: Running, job: str, tmp_path: Path) -> None:
    row = service.store.jobs.get(job, owner=None)
    content = service.store.artifacts.read(job, "prompt/prompt.json")
    (tmp_path / "prompt.json").write_bytes(content)
    replace(SavedPrompt.load(tmp_path), model="/srv/secret/small").save(tmp_path)

    class Artifacts:
        """Those of the job, with a prompt that was found for a model in a folder."""

        def list(self, job: str) -> object:
            return service.store.artifacts.list(job)

        def read(self, job: str, name: str) -> bytes:
            return (tmp_path / "prompt.json").read_bytes()

    store: Any = SimpleNamespace(artifacts=Artifacts())
    files = prompt_files(store, row)
    assert json.loads(files["prompt.json"])["model"] == "small"
