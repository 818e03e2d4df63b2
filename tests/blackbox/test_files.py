import errno
import os
from pathlib import Path

import pytest

from blackbox.errors import DamagedFileError, RunError
from blackbox.files import read_json, write_json, write_whole


def test_what_is_written_is_read_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "values.json"
    write_json(path, {"text": "naïve", "n": [1, None, 0.5]})
    assert read_json(path) == {"text": "naïve", "n": [1, None, 0.5]}
    assert "naïve" in path.read_text(encoding="utf-8")
    assert [found.name for found in path.parent.iterdir()] == ["values.json"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "values.json"
    write_whole(path, b"old")
    with pytest.raises(TypeError):
        write_whole(path, "no bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["values.json"]


def test_a_full_disk_is_an_error_with_the_remedy_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "values.json"
    write_whole(path, b"old")
    monkeypatch.setattr("blackbox.files.os.fsync", full)
    with pytest.raises(RunError, match=r"values\.json cannot be written: No space left on device; free space, then"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["values.json"]


def test_a_folder_that_is_a_file_is_an_error_with_the_path(tmp_path: Path) -> None:
    (tmp_path / "runs").write_bytes(b"")
    with pytest.raises(RunError, match=r"runs/one/values\.json cannot be written: Not a directory; see to it"):
        write_json(tmp_path / "runs" / "one" / "values.json", {})


def test_a_missing_file_is_refused_by_path(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"none\.json: No such file"):
        read_json(tmp_path / "none.json")


@pytest.mark.parametrize("content", [b"", b'{"a": ', b"[1, 2]", b"\xff\xfe", b"3"])
def test_a_file_without_a_json_object_is_refused_as_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "values.json").write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"values\.json is damaged: it holds no JSON"):
        read_json(tmp_path / "values.json")
