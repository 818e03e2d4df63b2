import errno
import os
from pathlib import Path

import pytest

from blackbox.errors import DamagedFileError, RunError
from blackbox.kept import Kept


def never() -> list[str]:
    raise AssertionError("it is there already")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of what was made for two questions."""
    path = tmp_path / "proposals.jsonl"
    kept = Kept(path)
    kept([{"seed": 1}], lambda: ["a"])
    kept([{"seed": 2}], lambda: ["b", None])
    return path


def test_the_same_question_has_the_same_answer_in_this_session_and_in_the_next(path: Path) -> None:
    for kept in (Kept(path), Kept(path)):
        assert kept([{"seed": 1}], never) == ["a"]
        assert kept([{"seed": 2}], never) == ["b", None]
        assert kept([{"seed": 1}], never) == ["a"]


def test_another_question_is_asked(path: Path) -> None:
    assert Kept(path)([{"seed": 3}], lambda: ["c"]) == ["c"]
    assert Kept(path)([{"seed": 3}], never) == ["c"]
    assert len(path.read_bytes().splitlines()) == 3


def test_an_answer_is_on_the_disk_before_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "proposals.jsonl"
    assert Kept(path)(1, lambda: "one") == Kept(path)(1, never) == "one"


def test_what_fails_is_not_kept(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "proposals.jsonl")
    with pytest.raises(AssertionError):
        kept(1, never)
    assert kept(1, lambda: ["a"]) == ["a"]


def test_without_a_file_nothing_is_kept() -> None:
    kept = Kept()
    assert [kept(1, lambda: "a"), kept(1, lambda: "b")] == ["a", "b"]


def test_a_last_line_that_a_kill_has_torn_is_asked_again(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2])
    kept = Kept(path)
    assert kept([{"seed": 2}], lambda: ["c"]) == ["c"]
    assert Kept(path)([{"seed": 1}], never) == ["a"]
    assert Kept(path)([{"seed": 2}], never) == ["c"]


@pytest.mark.parametrize("damage", [b"{", b"[]", b"null", b'{"asked": "a"}', b"\xff", b""])
def test_a_damaged_line_is_refused_by_number_with_a_way_out(path: Path, damage: bytes) -> None:
    path.write_bytes(damage + b"\n" + path.read_bytes())
    with pytest.raises(DamagedFileError, match=r"proposals\.jsonl line 1 is no proposal; delete the file and resume"):
        Kept(path)(1, lambda: "a")


def test_a_full_disk_is_an_error_that_says_how_to_go_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("blackbox.lines.os.fsync", full)
    with pytest.raises(RunError, match=rf"{path} cannot be written: No space left on device; free space, then"):
        Kept(path)(3, lambda: "c")
