"""What does runs, one after the other, in whatever process or thread it is made."""

import gc
import logging
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from blackbox.callbacks import Callback
from blackbox.files import write_whole
from blackbox.loaded_models import LoadedModels
from blackbox.run_folder import RunFolder
from blackbox.sweeps.plan import PlannedRun
from blackbox.tune import resume, tune

ERROR, LOG = "error.txt", "log.txt"


class Worker:
    """Keeps the models that it has loaded for the next run that names them.

    Args:
        callbacks: watch its runs.
    """

    def __init__(self, callbacks: Sequence[Callback] = ()) -> None:
        self._models, self._callbacks = LoadedModels(), callbacks

    def attempt(self, run: PlannedRun) -> str | None:
        """Do a run, or go on with it. What it found stands in its folder.

        Returns:
            None when it has succeeded, else the error in one line; `error.txt` in its folder says where it came from.

        Raises:
            KeyboardInterrupt: the user stopped it; its folder is ready to be resumed.
        """
        error = self._error_of(run)
        gc.collect()  # a run's connections and threads end with it
        return error

    def _error_of(self, run: PlannedRun) -> str | None:
        try:
            (run.folder / ERROR).unlink(missing_ok=True)
            with _warnings_kept(run.folder / LOG), self._models.shared():
                self._go_on(run)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other runs of the sweep go on
            _keep(run.folder / ERROR, traceback.format_exc())
            return " ".join(f"{type(error).__name__}: {error}".split())
        return None

    def _go_on(self, run: PlannedRun) -> None:
        if RunFolder(run.folder).holds_run:
            resume(run.folder, callbacks=self._callbacks)
        else:
            tune(folder=run.folder, callbacks=self._callbacks, **run.settings)


def _keep(path: Path, text: str) -> None:
    try:
        write_whole(path, text.encode())
    except Exception:  # noqa: BLE001 - the disk may be what failed: the error itself is told all the same
        logging.getLogger(__name__).warning("%s could not be written", path)


@contextmanager
def _warnings_kept(path: Path) -> Iterator[None]:
    """What is warned of stands in a file beside the run; of a quiet run there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, delay=True, encoding="utf-8")
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    handler.addFilter(lambda record: _LOG.get() in (None, path))
    token = _LOG.set(path)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
        _LOG.reset(token)


_LOG: ContextVar[Path | None] = ContextVar("log of the run", default=None)
"""By which the runs of one process are told apart. What comes from elsewhere stands in the logs of all under way."""
