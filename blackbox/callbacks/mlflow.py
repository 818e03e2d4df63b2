"""MLflow (https://mlflow.org): settings as parameters, points as metrics, prompt and report as artifacts."""

import os
import time
from collections.abc import Mapping
from typing import Any

from blackbox.callbacks.tracker import TrackedRun, Tracker

_STATUS = {"succeeded": "FINISHED", "interrupted": "KILLED", "failed": "FAILED"}


class MLflow(Tracker):
    """Through a client of its own: the process's active run of MLflow, if any, stays as it is.

    Args:
        tracking_uri: where runs are kept; None is MLflow's own default, $MLFLOW_TRACKING_URI.
        experiment: made if there is none of this name; None is $MLFLOW_EXPERIMENT_NAME, else "blackbox".
    """

    name = "mlflow"
    package = "mlflow"

    def __init__(self, tracking_uri: str | None = None, *, experiment: str | None = None) -> None:
        super().__init__()
        self._uri, self._experiment = tracking_uri, experiment
        self._client: Any = None

    def _open(self, run: TrackedRun, known: str | None) -> str:
        from mlflow import MlflowClient
        from mlflow.entities import Param

        self._client = MlflowClient(tracking_uri=self._uri)
        if known:
            self._client.update_run(known, status="RUNNING")
            return known
        experiment = self._experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME") or "blackbox"
        found = self._client.get_experiment_by_name(experiment)
        number = found.experiment_id if found else self._client.create_experiment(experiment)
        id_ = str(self._client.create_run(number, run_name=run.name).info.run_id)
        self._client.log_batch(id_, params=[Param(key, str(value)) for key, value in run.settings.items()])
        return id_

    def _log(self, step: int, values: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._client.log_batch(self._id, metrics=[Metric(key, value, now, step) for key, value in values.items()])

    def _close(self, run: TrackedRun, status: str, figures: Mapping[str, float]) -> None:
        if figures:
            self._log(self._step + 1, figures)
        for path in run.files:
            if path.is_dir():
                self._client.log_artifacts(self._id, str(path), path.name)
            else:
                self._client.log_artifact(self._id, str(path))
        self._client.set_terminated(self._id, _STATUS[status])
