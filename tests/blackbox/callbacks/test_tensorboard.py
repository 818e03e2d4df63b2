"""The tracker for TensorBoard, read back by TensorBoard itself."""

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorboardX")
pytest.importorskip("tensorboard")
pytestmark = [pytest.mark.usefixtures("without_pictures"), pytest.mark.filterwarnings("ignore")]

from blackbox import Summary, resume, tune  # noqa: E402
from blackbox.backends import FakeBackend  # noqa: E402
from blackbox.callbacks import TensorBoard  # noqa: E402
from blackbox.journal import Journal  # noqa: E402
from tests.blackbox.callbacks.tracker_contract import Points, Stopping, TrackerContract, expected_losses, start  # noqa: E402
from tests.blackbox.runs import finish, spawn, wait_for_lines, write_task  # noqa: E402
from tests.blackbox.small import QUICK, make_task  # noqa: E402


def read(folder: Path) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    return events


def text(events: Any, tag: str) -> str:
    """What a text was before it was indented."""
    [event] = events.Tensors(f"{tag}/text_summary")
    lines: str = event.tensor_proto.string_val[0].decode()
    return "\n".join(line.removeprefix("    ") for line in lines.split("\n"))


class TestTensorBoard(TrackerContract):
    def make(self, at: Path) -> TensorBoard:
        return TensorBoard()

    def runs(self, at: Path) -> list[Points]:
        events = read(at / "run" / "tensorboard")
        last = max(event.step for event in events.Scalars("search/generation"))
        return [
            {
                tag: [(e.step, e.value) for e in events.Scalars(tag) if e.step <= last]
                for tag in events.Tags()["scalars"]
            }
        ]


def test_settings_outcome_and_prompt_are_texts(tmp_path: Path) -> None:
    result = start(tmp_path / "run", TensorBoard(tmp_path / "elsewhere"))
    events = read(tmp_path / "elsewhere")
    assert json.loads(text(events, "settings"))["dimension"] == 4
    assert json.loads(text(events, "summary"))["train_loss"] == pytest.approx(result.summary.train_loss)
    assert json.loads(text(events, "prompt"))["text"] == result.saved.text
    assert result.summary.test_before
    [before] = events.Scalars("test/accuracy_before")
    assert before.value == pytest.approx(result.summary.test_before.value)


def test_a_tracker_that_a_setting_names_goes_on_when_the_run_is_resumed(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        tune(make_task(), **{**QUICK, "backend": Stopping(9)}, track=["tensorboard"], folder=tmp_path / "run")
    result = resume(tmp_path / "run", backend=FakeBackend())
    losses = [event.value for event in read(tmp_path / "run" / "tensorboard").Scalars("train/loss")]
    wanted = [*(loss for _, loss in expected_losses(result.history)), result.summary.train_loss]
    assert losses == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("lines", [1, 9, 31])
def test_after_kill_9_no_point_comes_twice_and_one_at_most_is_missing(tmp_path: Path, lines: int) -> None:
    small = {"layers": "all", "dimension": 4, "population": 4, "evaluations": 60, "slice_size": 2, "seed": 1}
    config = write_task(tmp_path, track=["tensorboard"], **small)
    folder = tmp_path / "run"
    process = spawn("tune", config, "--runs", tmp_path, "--name", folder.name)
    wait_for_lines(folder / "evaluations.jsonl", lines, process)
    process.kill()
    process.communicate()
    assert finish(spawn("resume", folder))[0] == 0
    with Journal(folder / "evaluations.jsonl") as journal:
        wanted = expected_losses(journal.evaluations)
    outcome = (wanted[-1][0] + 1, Summary.read(folder / "summary.json").train_loss)
    points = [(event.step, event.value) for event in read(folder / "tensorboard").Scalars("train/loss")]
    expected = {step: pytest.approx(loss, rel=1e-6) for step, loss in [*wanted, outcome]}
    assert len(dict(points)) == len(points) >= len(expected) - 1
    assert all(expected[step] == value for step, value in points)


def test_a_run_in_memory_writes_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tune(make_task(), **QUICK, callbacks=[TensorBoard()])
    assert read(tmp_path / "tensorboard").Scalars("train/loss")
