"""TensorBoard: points as scalars, settings, outcome and prompt as text; event files by tensorboardX, without torch.

`tensorboard --logdir runs` shows all runs of a folder.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blackbox.callbacks.tracker import TrackedRun, Tracker


class TensorBoard(Tracker):
    """A resumed run adds a file to the same folder.

    Args:
        logdir: the folder of the event files; None is `tensorboard` in the run's folder, or here for a run that has
            none.
    """

    name = "tensorboard"
    package = "tensorboardX"

    def __init__(self, logdir: str | Path | None = None) -> None:
        super().__init__()
        self._logdir = logdir
        self._writer: Any = None

    def _open(self, run: TrackedRun, known: str | None) -> str:
        from tensorboardX import SummaryWriter

        folder = self._logdir or (run.folder or Path()) / "tensorboard"
        suffix = f".{time.time_ns()}"  # names have the second, and files are read in the order of their names
        self._writer = SummaryWriter(str(folder), filename_suffix=suffix)
        if not known:
            self._text("settings", json.dumps(run.settings, indent=2, ensure_ascii=False, default=str), step=0)
        return self.name  # the folder itself may have moved since

    def _log(self, step: int, values: Mapping[str, float]) -> None:
        for key, value in values.items():
            self._writer.add_scalar(key, value, step)
        self._writer.flush()

    def _close(self, run: TrackedRun, status: str, figures: Mapping[str, float]) -> None:
        if figures:
            self._log(self._step + 1, figures)
        for path in run.files:
            for text in (path / "prompt.json", path):
                if text.is_file() and text.suffix == ".json":
                    self._text(text.stem, text.read_text(encoding="utf-8"), step=self._step + 1)
        self._writer.close()

    def _text(self, tag: str, text: str, *, step: int) -> None:
        """Text as it stands: what is indented is no Markdown."""
        self._writer.add_text(tag, "\n".join(f"    {line}" for line in text.splitlines()), step)
