"""`blackbox serve`, `jobs` and `tokens`: real processes that talk over loopback."""

import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from blackbox import SavedPrompt
from tests.blackbox.cli.conftest import Answer

Blackbox = Callable[..., Answer]
ROOT = Path(__file__).parents[3]
SEARCH = ["--label-words", "good=great,bad=awful", "--dimension", "8", "--population", "10", "--shots", "4"]


@dataclass(frozen=True)
class Served:
    """A service in a process, and its folder."""

    url: str
    folder: Path
    process: subprocess.Popen[str]


@contextmanager
def served(folder: Path, *options: str) -> Iterator[Served]:
    """`blackbox serve` on a free port; ended by SIGTERM."""
    command = [sys.executable, "-m", "blackbox", "serve", "--port", "0", "--folder", str(folder), *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    try:
        said = ""
        while not (found := re.search(r"http://\S+", said)):
            line = process.stderr.readline()
            assert line, f"serve has ended: {said}"
            said += line
        yield Served(found[0], folder, process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One with a worker, without tokens."""
    with served(tmp_path_factory.mktemp("service")) as found:
        yield found


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Rows that the fake backend can tell apart."""
    path = tmp_path / "train.jsonl"
    texts = [
        (f"a {word} film, number {i}", label) for i in range(10) for word, label in (("great", "good"), ("bad", "bad"))
    ]
    path.write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in texts))
    return path


def test_a_job_is_handed_in_watched_and_its_prompt_downloaded(
    blackbox: Blackbox, service: Served, rows: Path, tmp_path: Path
) -> None:
    at = ("--url", service.url)
    config = tmp_path / "reviews.toml"
    config.write_text(f'train = "{rows.name}"\nevaluations = 60\nmodel = "mine"\ndtype = "bfloat16"\n')
    submitted = blackbox("jobs", "submit", config, "--backend", "fake", *SEARCH, "--metadata", "team=a", "--watch", *at)
    assert submitted.code == 0, submitted.err
    assert "left to the service, whose models have them: dtype, model" in submitted.err
    job = submitted.out.splitlines()[0]
    assert "succeeded" in submitted.out
    listed = blackbox("jobs", "list", "--metadata", "team=a", *at)
    assert job in listed.out
    assert "reviews" in listed.out
    assert json.loads(blackbox("jobs", "result", job, *at).out)["prompt"]["model"] == "fake"
    archive = tmp_path / "prompt.zip"
    assert blackbox("jobs", "result", job, "--output", archive, *at).code == 0
    zipfile.ZipFile(archive).extractall(tmp_path / "prompt")
    assert SavedPrompt.load(tmp_path / "prompt").model == "fake"


def test_a_running_job_is_paused_resumed_and_cancelled(blackbox: Blackbox, service: Served, rows: Path) -> None:
    at = ("--url", service.url)
    endless = ("--evaluations", "9000000", "--train", rows)
    job = blackbox("jobs", "submit", "--backend", "fake", *SEARCH, *endless, *at).out.strip()
    wait_for(service, job, "running")
    assert "paus" in blackbox("jobs", "pause", job, *at).err
    wait_for(service, job, "paused")
    assert "queued" in blackbox("jobs", "resume", job, *at).err
    wait_for(service, job, "running")
    blackbox("jobs", "cancel", job, *at)
    watched = blackbox("jobs", "watch", job, *at)
    assert watched.code == 0
    kinds = re.findall(r"^ *\d+  (\w+)", watched.out, re.MULTILINE)
    assert kinds[-1] == "cancelled"
    assert {"paused", "resumed"} <= set(kinds)


def wait_for(service: Served, job: str, status: str) -> None:
    """By the stream of its events, which has every one."""
    with requests.get(f"{service.url}/v1/tuning/jobs/{job}/events?stream=true", stream=True, timeout=60) as answer:
        for _ in answer.iter_lines():
            if requests.get(f"{service.url}/v1/tuning/jobs/{job}", timeout=20).json()["status"] == status:
                return
    raise AssertionError(f"{job} has ended without being {status}")


def test_a_failed_job_makes_watch_fail(blackbox: Blackbox, service: Served, rows: Path) -> None:
    lacking = [*SEARCH[:1], "good=great,none=awful", *SEARCH[2:]]
    answer = blackbox("jobs", "submit", "--backend", "fake", *lacking, "--train", rows, "--watch", "--url", service.url)
    assert answer.code == 1
    assert "failed" in answer.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["submit", "--backend", "fake"], "no training rows"),
        (["submit", "--train", "rows.csv"], "no model"),
        (["submit", "--backend", "fake", "--train", "none.csv"], "No such file"),
        (["submit", "--backend", "fake", "--train", "x.csv", "--metadata", "a"], "key=value"),
        (["watch", "job-none"], "the service refuses"),
        (["cancel", "job-none"], "the service refuses"),
        (["list", "--status", "none"], "status"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    blackbox: Blackbox, service: Served, arguments: list[str], message: str
) -> None:
    answer = blackbox("jobs", *arguments, "--url", service.url)
    assert answer.code == 2
    assert message in answer.err
    assert len(answer.err.strip().splitlines()) == 1


def test_no_service_is_a_failure_and_no_wrong_input(blackbox: Blackbox) -> None:
    answer = blackbox("jobs", "list", "--url", "http://127.0.0.1:9")
    assert answer.code == 1
    assert "cannot be reached" in answer.err


def test_a_service_that_others_reach_needs_tokens(blackbox: Blackbox, tmp_path: Path) -> None:
    answer = blackbox("serve", "--host", "0.0.0.0", "--port", "0", "--folder", tmp_path)
    assert answer.code == 2
    assert "blackbox tokens create" in answer.err


def test_a_port_that_is_taken_is_said_to_be(blackbox: Blackbox, service: Served, tmp_path: Path) -> None:
    answer = blackbox("serve", "--port", service.url.rpartition(":")[2], "--folder", tmp_path)
    assert answer.code == 2
    assert "cannot be served" in answer.err


def test_tokens_open_a_service_and_stand_in_no_log(blackbox: Blackbox, tmp_path: Path) -> None:
    made = blackbox("tokens", "create", "ci", "--role", "admin", "--folder", tmp_path)
    secret = made.out.strip()
    assert made.code == 0
    assert secret not in made.err
    listed = blackbox("tokens", "list", "--folder", tmp_path).out
    assert "ci" in listed
    assert secret not in listed
    with served(tmp_path, "--workers", "0", "--host", "0.0.0.0") as service:
        url = service.url.replace("0.0.0.0", "127.0.0.1")
        assert requests.get(f"{url}/v1/files", timeout=20).status_code == 401
        headers = {"authorization": f"Bearer {secret}"}
        assert requests.get(f"{url}/v1/files", headers=headers, timeout=20).status_code == 200
    assert service.process.returncode == 0
    token = re.findall(r"token-\w+", listed)[0]
    assert blackbox("tokens", "revoke", token, "--folder", tmp_path).code == 0
    assert blackbox("tokens", "revoke", "token-none", "--folder", tmp_path).code == 2


def test_the_password_of_a_database_is_not_shown(blackbox: Blackbox, tmp_path: Path) -> None:
    url = "postgresql+psycopg://user:s3cret@127.0.0.1:9/name"
    answer = blackbox("serve", "--database", url, "--folder", tmp_path)
    assert answer.code == 2
    assert "s3cret" not in answer.err + answer.out
