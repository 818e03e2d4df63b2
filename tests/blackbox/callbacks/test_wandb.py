"""The tracker for Weights & Biases, offline, read back from the files that `wandb sync` would send."""

import json
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("wandb")
pytestmark = [pytest.mark.usefixtures("without_pictures"), pytest.mark.filterwarnings("ignore")]

from blackbox.callbacks import WandB  # noqa: E402
from tests.blackbox.callbacks.tracker_contract import Points, TrackerContract, start  # noqa: E402

_BLOCK, _HEADER = 32768, 7


def records(path: Path) -> Iterator[Any]:
    """What a .wandb file holds: LevelDB's log format, with a header of seven bytes of its own."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, place, whole = path.read_bytes(), 7, b""
    while place + _HEADER <= len(data):
        if _BLOCK - place % _BLOCK < _HEADER:
            place += _BLOCK - place % _BLOCK
            continue
        _, length, kind = struct.unpack_from("<IHB", data, place)
        if place + _HEADER + length > len(data):  # it is being written
            return
        whole += data[place + _HEADER : place + _HEADER + length]
        place += _HEADER + length
        if kind in (1, 4):  # whole, or the last part
            record = Record()
            record.ParseFromString(whole)
            yield record
            whole = b""


def kind(record: Any) -> str:
    return str(record.WhichOneof("record_type"))


def session(path: Path) -> list[Any]:
    """The records of a session that has ended; they are written by a process of W&B's own."""
    deadline = time.monotonic() + 20
    while True:
        found = list(records(path))
        if "exit" in map(kind, found):
            return found
        assert time.monotonic() < deadline, f"{path} has no end"
        time.sleep(0.05)


def _values(items: Any) -> dict[str, Any]:
    return {item.key or item.nested_key[0]: json.loads(item.value_json) for item in items}


def sessions(folder: Path) -> list[list[Any]]:
    return [session(path) for path in sorted(folder.glob("run/wandb/offline-run-*/*.wandb"))]


class TestWandB(TrackerContract):
    def make(self, at: Path) -> WandB:
        return WandB(mode="offline")

    def runs(self, at: Path) -> list[Points]:
        runs: dict[str, dict[str, list[tuple[int, float]]]] = {}
        for of_one in sessions(at):
            [id_] = {one.run.run_id for one in of_one if kind(one) == "run"}
            points = runs.setdefault(id_, {})
            for values in (_values(one.history.item) for one in of_one if kind(one) == "history"):
                for name, value in values.items():
                    points.setdefault(name, []).append((values["_step"], value))
        return list(runs.values())


def test_settings_are_the_config_and_the_outcome_is_the_summary(tmp_path: Path) -> None:
    result = start(tmp_path / "run", WandB("prompts", mode="offline"))
    [records] = sessions(tmp_path)
    [run] = [one.run for one in records if kind(one) == "run"]
    assert (run.project, run.display_name) == ("prompts", "run")
    config = _values(run.config.update)
    assert config["dimension"] == 4
    assert config["label_words"] == {"negative": "bad", "positive": "great"}
    summary = {}
    for one in records:
        summary |= _values(one.summary.update) if kind(one) == "summary" else {}
    assert result.summary.test_after
    assert summary["test/accuracy"] == pytest.approx(result.summary.test_after.value)
