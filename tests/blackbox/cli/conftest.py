import io
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from blackbox.cli import main
from tests.blackbox.runs import write_task


class Answer(NamedTuple):
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


@pytest.fixture
def blackbox(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Answer]]:
    """(arguments..., stdin="" or bytes) -> the answer of the command line, in this process."""
    before = signal.getsignal(signal.SIGTERM)

    def call(*arguments: object, stdin: str | bytes = "") -> Answer:
        given = stdin if isinstance(stdin, bytes) else stdin.encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Answer(int(exit_.value.code or 0), captured.out, captured.err)

    yield call
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with its rows."""
    return write_task(tmp_path, layers="all", dimension=4, population=4, evaluations=40, slice_size=3, seed=1)


@pytest.fixture
def run(config: Path, blackbox: Callable[..., Answer], without_pictures: None) -> Path:
    """The folder of a run."""
    assert blackbox("tune", config, "--runs", config.parent, "--name", "run").code == 0
    return config.parent / "run"
