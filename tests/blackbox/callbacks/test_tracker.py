"""What all trackers share, seen through one that keeps its points in a list."""

import logging
from collections.abc import Mapping
from pathlib import Path

import pytest

from blackbox import tune
from blackbox.backends.errors import MissingPackageError
from blackbox.callbacks import TrackedRun, Tracker
from blackbox.callbacks.tracker import figures_of
from blackbox.config import make_config
from blackbox.errors import SettingError, UnknownNameError
from blackbox.files import read_json
from blackbox.metrics import Measured
from blackbox.tracking import make_trackers, public_settings
from tests.blackbox.callbacks.tracker_contract import Points, TrackerContract, start, stop_and_go_on
from tests.blackbox.small import QUICK, make_task

pytestmark = pytest.mark.usefixtures("without_pictures")


class InLists(Tracker):
    """Keeps all it is told; `book` is shared by those that go on with each other's runs."""

    name = "lists"
    package = "json"

    def __init__(self, book: dict[str, list[tuple[int, Mapping[str, float]]]], *, fails: str = "") -> None:
        super().__init__()
        self.book, self.fails, self.calls, self.ends = book, fails, [], []

    def _does(self, what: str) -> None:
        self.calls.append(what)
        if what == self.fails:
            raise OSError("the tracking\nserver is away")

    def _open(self, run: TrackedRun, known: str | None) -> str:
        self._does("open")
        self.run = run
        self.book.setdefault(known or f"run {len(self.book)}", [])
        return known or f"run {len(self.book) - 1}"

    def _log(self, step: int, values: Mapping[str, float]) -> None:
        self._does("log")
        self.book[self._id].append((step, values))

    def _close(self, run: TrackedRun, status: str, figures: Mapping[str, float]) -> None:
        self._does("close")
        self.ends.append((status, dict(figures), [path.name for path in run.files]))


class TestInLists(TrackerContract):
    @pytest.fixture(autouse=True)
    def _own_book(self) -> None:
        self.book: dict[str, list[tuple[int, Mapping[str, float]]]] = {}

    def make(self, at: Path) -> Tracker:
        return InLists(self.book)

    def runs(self, at: Path) -> list[Points]:
        found = []
        for logged in self.book.values():
            points: dict[str, list[tuple[int, float]]] = {}
            for step, values in logged:
                for name, value in values.items():
                    points.setdefault(name, []).append((step, value))
            found.append(points)
        return found


def test_the_end_has_the_figures_before_and_after_and_the_files(tmp_path: Path) -> None:
    tracker = InLists({})
    summary = start(tmp_path / "run", tracker).summary
    [(status, figures, files)] = tracker.ends
    assert status == "succeeded"
    assert summary.test_before
    assert summary.test_after
    assert figures["test/accuracy_before"] == summary.test_before.value
    assert figures["test/accuracy"] == summary.test_after.value
    assert figures["cost/requests"] == summary.requests
    assert set(files) == {"prompt", "report.html", "summary.json"}
    assert read_json(tmp_path / "run" / "summary.json")["status"] == "succeeded"


def test_a_run_without_a_folder_is_tracked_without_files() -> None:
    tracker = InLists({})
    tune(make_task(), **QUICK, callbacks=[tracker])
    assert [(status, files) for status, _, files in tracker.ends] == [("succeeded", [])]


def test_a_run_that_is_stopped_says_so_and_goes_on_in_the_same(tmp_path: Path) -> None:
    book: dict[str, list[tuple[int, Mapping[str, float]]]] = {}
    first, second = InLists(book), InLists(book)
    stop_and_go_on(tmp_path / "run", first, second, at=9)
    assert [status for status, _, _ in first.ends + second.ends] == ["interrupted", "succeeded"]
    assert first.ends[0][1] == {}
    assert list(book) == ["run 0"]


@pytest.mark.parametrize(("fails", "calls"), [("open", 1), ("log", 2), ("close", 17)])
def test_a_tracker_that_fails_is_warned_of_once_and_the_run_goes_on(
    fails: str, calls: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tracker, plain = InLists({}, fails=fails), InLists({})
    with caplog.at_level(logging.WARNING):
        result = start(tmp_path / "run", tracker)
    assert [record.getMessage() for record in caplog.records] == [
        "tracker lists is left out from here on: OSError: the tracking server is away"
    ]
    assert tracker.calls.count(fails) == 1
    assert tracker.calls[-1] == fails
    untouched = start(tmp_path / "other", plain)
    assert [one.facts for one in result.history] == [one.facts for one in untouched.history]


def test_settings_hold_no_login_and_no_query_of_a_url() -> None:
    config = make_config({"base_url": "https://me:secret@api.example.com:8443/v1?key=hidden", "seed": 3})
    settings = public_settings(config)
    assert settings["base_url"] == "https://api.example.com:8443/v1"
    assert settings["seed"] == 3
    assert "test" not in settings


def test_a_name_that_no_tracker_has_and_a_missing_package_are_refused_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="unknown tracker 'tensorbord'; did you mean 'tensorboard'"):
        tune(make_task(), **QUICK, folder=tmp_path / "run", track=["tensorbord"])
    assert not (tmp_path / "run").exists()

    class Absent(InLists):
        name, package = "absent", "no_such_package"

    with pytest.raises(MissingPackageError, match=r"pip install 'blackbox-prompts\[absent\]'"):
        Absent({})


def test_two_trackers_of_a_kind_are_refused() -> None:
    with pytest.raises(SettingError, match="a run has one tracker of a kind, and two are 'lists'"):
        tune(make_task(), **QUICK, callbacks=[InLists({}), InLists({})])


def test_a_figure_has_names_that_trackers_take() -> None:
    measured = Measured("<lambda>", 0.5, 0.25, 0.75, 10)
    names = {"dev/_lambda_": 0.5, "dev/_lambda__low": 0.25, "dev/_lambda__high": 0.75}
    assert figures_of("dev", measured) == names
    assert figures_of("dev", None) == {}


def test_names_that_come_twice_make_one_tracker() -> None:
    pytest.importorskip("tensorboardX")
    assert [tracker.name for tracker in make_trackers(["tensorboard", "tensorboard"])] == ["tensorboard"]
