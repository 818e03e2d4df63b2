"""The tracker for MLflow, against the real package and its SQLite store."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("mlflow")
pytestmark = [
    pytest.mark.usefixtures("without_pictures"),
    pytest.mark.filterwarnings("ignore"),  # of the package and SQLAlchemy
]

from blackbox import SavedPrompt  # noqa: E402
from blackbox.callbacks import MLflow  # noqa: E402
from tests.blackbox.callbacks.tracker_contract import Points, TrackerContract, start, stop_and_go_on  # noqa: E402


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables, which take seconds to make."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture(autouse=True)
def store(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of it that is named in the environment; files go to the test's folder."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.chdir(tmp_path)
    yield Path(shutil.copy(empty_store, tmp_path / "mlflow.db"))


def client():  # type: ignore[no-untyped-def]
    from mlflow import MlflowClient

    return MlflowClient()


def runs_of(experiment: str = "blackbox"):  # type: ignore[no-untyped-def]
    found = client().get_experiment_by_name(experiment)
    return client().search_runs([found.experiment_id])


class TestMLflow(TrackerContract):
    def make(self, at: Path) -> MLflow:
        return MLflow()

    def runs(self, at: Path) -> list[Points]:
        found = []
        for run in runs_of():
            last = max(metric.step for metric in client().get_metric_history(run.info.run_id, "search/generation"))
            histories = {name: client().get_metric_history(run.info.run_id, name) for name in run.data.metrics}
            found.append(
                {name: [(one.step, one.value) for one in of if one.step <= last] for name, of in histories.items()}
            )
        return found


def test_settings_are_parameters_the_outcome_metrics_and_the_files_artifacts(tmp_path: Path) -> None:
    result = start(tmp_path / "mine", MLflow(experiment="prompts"))
    [run] = runs_of("prompts")
    assert (run.info.run_name, run.info.status) == ("mine", "FINISHED")
    assert run.data.params["dimension"] == "4"
    assert run.data.params["optimizer"] == "blockwise:cma-es"
    assert result.summary.test_after
    assert run.data.metrics["test/accuracy"] == pytest.approx(result.summary.test_after.value)
    assert run.data.metrics["train/loss"] == pytest.approx(result.summary.train_loss)
    at = Path(client().download_artifacts(run.info.run_id, "", str(tmp_path)))
    assert json.loads((at / "summary.json").read_text())["status"] == "succeeded"
    assert (at / "report.html").read_bytes() == (tmp_path / "mine" / "report.html").read_bytes()
    assert SavedPrompt.load(at / "prompt").text == result.saved.text


def test_a_run_that_is_stopped_is_killed_there_until_it_goes_on(tmp_path: Path) -> None:
    def status_in_between() -> MLflow:
        [run] = runs_of()
        seen.append(run.info.status)
        return MLflow()

    seen: list[str] = []

    class Late(MLflow):
        def _open(self, run, known):  # type: ignore[no-untyped-def]
            status_in_between()
            return super()._open(run, known)

    stop_and_go_on(tmp_path / "run", MLflow(), Late(), at=9)
    [run] = runs_of()
    assert [*seen, run.info.status] == ["KILLED", "FINISHED"]


def test_a_store_that_cannot_be_reached_costs_the_record_and_not_the_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    result = start(tmp_path / "run", MLflow(f"file:{tmp_path / 'file'}"))
    assert result.summary.status == "succeeded"
    assert [r.getMessage()[:47] for r in caplog.records if r.name.startswith("blackbox")] == [
        "tracker mlflow is left out from here on: Mlflow"
    ]
