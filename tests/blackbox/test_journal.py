import errno
import fcntl
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from blackbox.errors import DamagedFileError, MismatchError, RunError
from blackbox.evaluation import Evaluation
from blackbox.journal import Journal
from tests.blackbox.test_evaluation import EVALUATION


def numbered(first: int, count: int) -> list[Evaluation]:
    return [replace(EVALUATION, number=n, candidate=f"{n:016x}", elapsed=float(n)) for n in range(first, first + count)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of four evaluations."""
    path = tmp_path / "evaluations.jsonl"
    with Journal(path) as journal:
        journal.append(numbered(0, 4))
    return path


def test_what_is_written_down_stands_in_the_file_before_the_journal_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "evaluations.jsonl"
    with Journal(path) as journal:
        journal.append(numbered(0, 3))
        assert len(path.read_bytes().splitlines()) == 3


def test_a_journal_that_is_opened_again_goes_on(path: Path) -> None:
    with Journal(path) as journal:
        assert list(journal.evaluations) == numbered(0, 4)
        assert (len(journal), journal.elapsed) == (4, 3.0)
        journal.append(numbered(4, 2))
    with Journal(path) as journal:
        assert list(journal.evaluations) == numbered(0, 6)


def test_what_is_known_already_is_not_written_twice(path: Path) -> None:
    with Journal(path) as journal:
        journal.append(numbered(2, 4))
        assert list(journal.evaluations) == numbered(0, 6)
    assert len(path.read_bytes().splitlines()) == 6


def test_one_process_at_a_time_holds_it(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"torn by nobody yet")
    content = path.read_bytes()
    with path.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(RunError, match=rf"another process is working on this run \({path.parent}\); wait"):
            Journal(path)
        assert path.read_bytes() == content
    with Journal(path) as journal:
        assert len(journal) == 4


def test_a_damaged_journal_is_not_held(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(b"{}\n" + content)
    with pytest.raises(DamagedFileError):
        Journal(path)
    path.write_bytes(content)
    with Journal(path) as journal:
        assert len(journal) == 4


def test_a_full_disk_is_an_error_that_says_how_to_go_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("blackbox.lines.os.fsync", full)
    with Journal(path) as journal, pytest.raises(RunError) as refusal:
        journal.append(numbered(4, 1))
    assert str(refusal.value) == (
        f"{path} cannot be written: No space left on device; free space, then `blackbox resume {path.parent}`"
    )


def test_a_folder_that_is_not_there_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"none/evaluations\.jsonl cannot be written: No such file"):
        Journal(tmp_path / "none" / "evaluations.jsonl")


def test_without_a_path_it_stays_in_memory() -> None:
    with Journal() as journal:
        assert journal.elapsed == 0.0
        journal.append(numbered(0, 2))
        assert len(journal) == 2


@pytest.mark.parametrize("kept", [1, 40, -2])
def test_a_torn_last_line_is_cut_off(path: Path, kept: int) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3]) + lines[3][:kept])
    with Journal(path) as journal:
        assert list(journal.evaluations) == numbered(0, 3)
        journal.append(numbered(3, 1))
    with Journal(path) as journal:
        assert list(journal.evaluations) == numbered(0, 4)


def test_a_last_line_without_its_end_is_torn_even_if_it_reads_well(path: Path) -> None:
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))
    with Journal(path) as journal:
        assert len(journal) == 3
    assert path.read_bytes().endswith(b"\n")


@pytest.mark.parametrize("damage", [b"{", b"[]", b"null", b'{"number": 1}', b"\xff", b""])
def test_a_damaged_line_in_the_middle_is_refused_by_number_and_nothing_is_cut(path: Path, damage: bytes) -> None:
    lines = path.read_bytes().splitlines()
    lines[1] = damage
    content = b"\n".join(lines) + b"\n"
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match="line 2 is no evaluation"):
        Journal(path)
    assert path.read_bytes() == content


def test_a_missing_line_is_refused_by_number(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], *lines[2:]]))
    with pytest.raises(DamagedFileError, match="line 2 holds evaluation 2, not 1"):
        Journal(path)


def test_an_evaluation_is_found_by_number(path: Path) -> None:
    with Journal(path) as journal:
        assert journal.find(2, candidate=f"{2:016x}") == numbered(2, 1)[0]
        assert journal.find(4, candidate="anything") is None


def test_an_evaluation_of_another_candidate_is_refused_by_both_names(path: Path) -> None:
    with Journal(path) as journal, pytest.raises(MismatchError, match=f"evaluation 2 .*{2:016x}.* asks for feed"):
        journal.find(2, candidate="feed")


def test_each_line_is_json(path: Path) -> None:
    for number, line in enumerate(path.read_text().splitlines()):
        assert json.loads(line)["number"] == number
