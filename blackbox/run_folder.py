"""The run folder: everything a run is made of, and everything it found, in files of plain formats.

config.json         the settings as resolved
task.json           the rows, template and label words, so that the run can be resumed wherever the data has gone
environment.json    versions, and hashes of the model and the data
evaluations.jsonl   the journal
checkpoint.json     the state of the search after its last generation
prompt/             the best prompt so far (`SavedPrompt`)
summary.json        `Summary`
curve.png           the learning curve
report.html         the report, one file
"""

import hashlib
import json
import logging
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from blackbox.backends import Backend
from blackbox.checkpoint import load_checkpoint, save_checkpoint
from blackbox.config import Config, make_config
from blackbox.errors import MismatchError, RunError
from blackbox.evaluation import Evaluation
from blackbox.files import read_json, write_json
from blackbox.report.curve import draw_curve
from blackbox.report.page import write_report
from blackbox.saved_prompt import SavedPrompt
from blackbox.summary import Summary
from blackbox.task import Task

log = logging.getLogger(__name__)

_PACKAGES = ("blackbox-prompts", "numpy", "cma", "nevergrad", "torch", "transformers", "safetensors")


class RunFolder:
    """Paths and contents of one run's folder."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @property
    def name(self) -> str:
        return self.path.resolve().name

    @property
    def journal(self) -> Path:
        return self.path / "evaluations.jsonl"

    @property
    def prompt(self) -> Path:
        return self.path / "prompt"

    @property
    def curve(self) -> Path:
        return self.path / "curve.png"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    def create(self, config: Config, task: Task, backend: Backend) -> None:
        """Write down what the run is.

        Raises:
            RunError: the folder holds a run already.
        """
        if (self.path / "config.json").exists():
            raise RunError(
                f"{self.path} holds a run already; go on with `blackbox resume {self.path}`, choose another --name, "
                "or delete the folder"
            )
        write_json(self.path / "task.json", task.to_dict())
        write_json(self.path / "environment.json", environment(task, backend))
        self.write_summary(Summary("running"))
        write_json(self.path / "config.json", config.model_dump())  # last: what has it is a run

    def read_config(self) -> Config:
        """The settings of the run.

        Raises:
            RunError: the folder holds no run.
        """
        if not (self.path / "config.json").exists():
            raise RunError(f"{self.path} holds no run: there is no config.json in it")
        return make_config(read_json(self.path / "config.json"))

    def read_task(self) -> Task:
        """The task of the run."""
        return Task.from_dict(read_json(self.path / "task.json"))

    def read_environment(self) -> dict[str, object]:
        """Versions and hashes as of the run's start."""
        return read_json(self.path / "environment.json")

    def check_environment(self, task: Task, backend: Backend) -> None:
        """Refuse to go on with another model or other data; warn of other versions.

        Raises:
            MismatchError: the model's weights or the rows are not those that the run began with.
        """
        then, now = self.read_environment(), environment(task, backend)
        for key in ("model_hash", "data_hash"):
            if then[key] != now[key]:
                raise MismatchError(
                    f"{self.path} began with another {key.replace('_', ' ')}: {then[key]}, now {now[key]}"
                )
        if then != now:
            log.warning("%s began with other versions; its results may differ from an unbroken run's", self.path)

    def save_checkpoint(self, state: dict[str, object]) -> None:
        """Replace the checkpoint."""
        save_checkpoint(self.path / "checkpoint.json", state)

    def load_checkpoint(self) -> dict[str, object] | None:
        """The checkpoint's state; None before the first generation."""
        return load_checkpoint(self.path / "checkpoint.json")

    def write_summary(self, summary: Summary) -> None:
        """Replace the summary."""
        summary.write(self.path / "summary.json")

    def read_summary(self) -> Summary:
        """The summary as of the last save."""
        return Summary.read(self.path / "summary.json")

    def write_report(self, history: Sequence[Evaluation]) -> None:
        """Draw the learning curve and write the report, from what stands in the folder and the history."""
        task = read_json(self.path / "task.json")
        drawn = draw_curve(
            history, self.curve, metric=str(task["metric"]), loss_label=f"training loss ({task['loss']})"
        )
        write_report(
            self.report,
            name=self.name,
            summary=self.read_summary(),
            config=self.read_config().model_dump(),
            environment=self.read_environment(),
            history=history,
            curve=self.curve.read_bytes() if drawn else None,
        )

    def read_prompt(self) -> SavedPrompt:
        """The best prompt so far."""
        return SavedPrompt.load(self.prompt)


def environment(task: Task, backend: Backend) -> dict[str, object]:
    """What a run's results depend on besides its settings."""
    rows = json.dumps(task.to_dict(), sort_keys=True).encode()
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
        "model": backend.name,
        "model_hash": backend.model_hash,
        "data_hash": hashlib.sha256(rows).hexdigest(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
