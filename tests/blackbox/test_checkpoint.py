import hashlib
import json
from pathlib import Path

import pytest

from blackbox.checkpoint import FORMAT, load_checkpoint, save_checkpoint
from blackbox.errors import DamagedFileError, MismatchError

STATE = {"numbers": [0.1 + 0.2, 1e-300, float("inf")], "big": 2**127, "nothing": None, "text": "naïve"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "checkpoint.json"
    save_checkpoint(path, STATE)
    return path


def test_a_state_comes_back_number_for_number(path: Path) -> None:
    assert load_checkpoint(path) == STATE


def test_there_is_none_before_the_first(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / "checkpoint.json") is None


def test_the_checksum_is_sha256_over_the_state(path: Path) -> None:
    content = json.loads(path.read_text())
    assert content["sha256"] == hashlib.sha256(json.dumps(STATE).encode()).hexdigest()


@pytest.mark.parametrize("at", [0, 0.3, 0.9])
def test_a_damaged_checkpoint_is_refused_with_the_way_out(path: Path, at: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(at * len(content))])
    with pytest.raises(DamagedFileError, match=r"checkpoint\.json is damaged.*delete it and resume"):
        load_checkpoint(path)


def test_a_changed_number_is_found_by_the_checksum(path: Path) -> None:
    path.write_text(path.read_text().replace("1e-300", "2e-300"))
    with pytest.raises(DamagedFileError, match="its checksum does not match; delete it and resume"):
        load_checkpoint(path)


def test_a_newer_format_is_refused_by_number(path: Path) -> None:
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "format": FORMAT + 1}))
    with pytest.raises(MismatchError, match=f"has format {FORMAT + 1}, this version reads up to {FORMAT}; upgrade"):
        load_checkpoint(path)
