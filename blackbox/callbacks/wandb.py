"""Weights & Biases (https://wandb.ai): settings as config, points as history, prompt and report as an artifact."""

import os
import secrets
from collections.abc import Mapping
from typing import Any, Literal

from blackbox.callbacks.tracker import TrackedRun, Tracker


class WandB(Tracker):
    """Offline too: `mode="offline"` or WANDB_MODE=offline keeps the run on the disk for `wandb sync`.

    It does not take what W&B takes by itself: the program's output, its code and the state of its repository.

    Args:
        project: None is $WANDB_PROJECT, else "blackbox".
        mode: None is $WANDB_MODE, else "online".
    """

    name = "wandb"
    package = "wandb"

    def __init__(self, project: str | None = None, *, mode: Literal["online", "offline"] | None = None) -> None:
        super().__init__()
        self._project, self._mode = project, mode
        self._run: Any = None

    def _open(self, run: TrackedRun, known: str | None) -> str:
        import wandb

        id_ = known or secrets.token_hex(4)
        mode: Any = self._mode or os.environ.get("WANDB_MODE")  # wandb itself reads it once in a process
        quiet = wandb.Settings(silent=True, console="off", save_code=False, disable_git=True)
        self._run = wandb.init(
            project=self._project or os.environ.get("WANDB_PROJECT") or "blackbox",
            name=run.name,
            id=id_,
            resume="allow" if known else None,
            mode=mode,
            dir=run.folder,
            config=dict(run.settings),
            reinit="create_new",  # several runs of a process may be tracked at once
            settings=quiet,
        )
        return id_

    def _log(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    def _close(self, run: TrackedRun, status: str, figures: Mapping[str, float]) -> None:
        import wandb

        self._run.summary.update(dict(figures))
        if run.files:
            artifact = wandb.Artifact(f"prompt-{self._id}", type="prompt")
            for path in run.files:
                for file in path.iterdir() if path.is_dir() else (path,):
                    artifact.add_file(str(file), name=str(file.relative_to(path.parent)))
            self._run.log_artifact(artifact)
        self._run.finish(exit_code=0 if status == "succeeded" else 1)
