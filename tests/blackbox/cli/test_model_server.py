"""`blackbox serve-model` in a process of its own, with a small model from a folder."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from blackbox.backends import RemoteBackend
from tests.backends.api.conftest import no_proxy
from tests.backends.local.conftest import Save, saved_model
from tests.blackbox.cli.conftest import Answer
from tests.blackbox.runs import DEADLINE, ENVIRONMENT, finish, outcome, spawn, wait_for_lines, write_task

__all__ = ["no_proxy", "saved_model"]

pytestmark = pytest.mark.usefixtures("no_proxy")

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts servers; ends them."""
    begun: list[subprocess.Popen[str]] = []

    def begin(*arguments: object) -> "subprocess.Popen[str]":
        begun.append(spawn("serve-model", *arguments))
        return begun[-1]

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def url_of(process: "subprocess.Popen[str]") -> str:
    """Where it says that it serves."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert " is served at http://" in line, (line, process.stderr and process.stderr.read())
    return line.partition(" at ")[2].partition(",")[0]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_model_of_a_folder_is_served_until_it_is_told_to_stop(saved_model: Save, start: Start) -> None:
    folder = saved_model("llama")
    process = start(folder, "--port", 0, "--threads", 1, "--max-prompts", 7)
    url = url_of(process)
    described = json.loads(urllib.request.urlopen(f"{url}/v1/model?word=great").read())
    assert (described["name"], described["family"], described["limits"]["prompts"]) == (str(folder), "llama", 7)
    assert len(described["words"]["great"]) == 1
    process.send_signal(signal.SIGTERM)
    code, said = finish(process)
    assert (code, said) == (130, "")


def test_a_run_waits_for_a_server_that_was_killed_and_one_that_waits_no_longer_is_resumed(
    saved_model: Save, start: Start, tmp_path: Path
) -> None:
    folder, port = saved_model("llama"), free_port()
    served = (folder, "--port", port, "--threads", 1)
    process = start(*served)
    settings = {"layers": "all", "dimension": 6, "population": 6, "slice_size": 2, "evaluations": 120, "seed": 3}
    url = url_of(process)
    config = write_task(tmp_path, **settings, **{"backend": "remote", "base_url": url, "prompt": "it was great"})
    assert finish(spawn("tune", config, "--runs", tmp_path, "--name", "whole"))[0] == 0
    expected = outcome(tmp_path / "whole")

    run = spawn("tune", config, "--runs", tmp_path, "--name", "patient")
    wait_for_lines(tmp_path / "patient" / "evaluations.jsonl", 20, run)
    process.kill()
    process.communicate()
    _wait_until_it_says(run, "calls are paused")
    process = start(*served)
    url_of(process)
    code, said = finish(run)
    assert code == 0, said
    assert "go on: the endpoint answers again" in " ".join(said.split())
    assert outcome(tmp_path / "patient") == expected

    run = spawn("tune", config, "--runs", tmp_path, "--name", "hasty", "--outage-seconds", 1)
    wait_for_lines(tmp_path / "hasty" / "evaluations.jsonl", 20, run)
    process.kill()
    process.communicate()
    code, said = finish(run)
    assert code == 1
    assert "stopped; everything paid for is kept. Go on with: blackbox resume" in " ".join(said.split())
    assert "EndpointDownError" in said
    assert "Traceback" not in said
    url_of(start(*served))
    assert finish(spawn("resume", tmp_path / "hasty"))[0] == 0
    assert outcome(tmp_path / "hasty") == expected


def _wait_until_it_says(process: "subprocess.Popen[str]", words: str) -> None:
    """Read what a process says on stderr, without taking it away from whoever reads the rest."""
    assert process.stderr is not None
    end, file = time.monotonic() + DEADLINE, process.stderr
    said = ""
    while words not in " ".join(said.split()):
        assert time.monotonic() < end and process.poll() is None, said
        said += file.readline()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "models.example"])
def test_other_machines_are_served_with_a_token_only(blackbox: Callable[..., Answer], host: str) -> None:
    answer = blackbox("serve-model", "smollm2-135m", "--host", host)
    assert answer.code == 2
    assert "can be reached from other machines, which needs a token" in " ".join(answer.err.split())


def test_the_token_comes_from_the_environment(saved_model: Save, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    for environment in (os.environ, ENVIRONMENT):
        monkeypatch.setitem(environment, "SOME_TOKEN", "sesame-4711")
    process = start(saved_model("llama"), "--port", 0, "--token-variable", "SOME_TOKEN")
    backend = RemoteBackend(url_of(process), key_variable="SOME_TOKEN")
    assert backend.encode("great")
    backend.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("no-such-folder",), "no-such-folder"),
        (("smollm2-135m", "--token-variable", "NO_SUCH_VARIABLE"), "NO_SUCH_VARIABLE holds no token"),
        (("smollm2-135m", "--dtype", "float7"), "'dtype'"),
        (("smollm2-135m", "--port", "70000"), "--port"),
    ],
)
def test_wrong_input_is_told_in_one_line(
    blackbox: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    answer = blackbox("serve-model", *arguments)
    assert answer.code == 2, answer.err
    assert said in answer.err


def test_a_port_that_is_taken_is_told_in_one_line(blackbox: Callable[..., Answer], saved_model: Save) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = blackbox("serve-model", saved_model("llama"), "--port", port)
    assert answer.code == 2
    assert f"http://127.0.0.1:{port} cannot be served: " in " ".join(answer.err.split())


def test_without_the_extra_the_command_says_what_to_install(
    blackbox: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "blackbox.model_server", None)
    answer = blackbox("serve-model", "smollm2-135m")
    assert answer.code == 2
    assert "pip install 'blackbox-prompts[local,service]'" in " ".join(answer.err.split())
