"""The folder of a job on the worker's disk: its run folder, the task's files, and a lock.

A worker on the same machine goes on in the folder that it finds: the run's journal there has every answer that was paid
for. On another machine, or where another worker has got further since, the folder is made again from the database,
whose state is that of the last generation.
"""

import gzip
import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path

from blackbox.backends.api.journal_copy import make_of_copy
from blackbox.errors import RunError
from blackbox.files import unwritable, write_whole
from blackbox.locks import lock
from blackbox.run_folder import RunFolder
from blackbox.service.store import Job, Store

ORIGINS = ("task.json", "environment.json", "config.json")
"""What a run begins with, in the order in which it is written: a folder with the last one holds a run."""

CHECKPOINT = "checkpoint.json"
PACKED = CHECKPOINT + ".gz"
NOTES = "answers-notes.json"
_PAGE = 1000


class JobFolder:
    """See the module.

    Raises:
        RunError: another process has the folder, or it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.run = path, RunFolder(path / "run")
        self._lock = _locked(path)

    def close(self) -> None:
        """Let others have the folder."""
        self._lock.close()

    def remove(self) -> None:
        """Remove it with all that is in it, and let go of it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.close()

    def prepare(self, store: Store, job: Job) -> None:
        """See to it that the run in the folder is the job's, as far as anybody knows it."""
        if self.run.holds_run and self._begins_with(_lines(store, job)):
            return
        shutil.rmtree(self.run.path, ignore_errors=True)
        if job.progress.entries or "config.json" in {artifact.name for artifact in store.artifacts.list(job.id)}:
            self._restore(store, job)

    def write_data(self, store: Store, job: Job, files: dict[str, str]) -> dict[str, str]:
        """Write the task's files; their paths by setting.

        Raises:
            MissingError: one has been deleted.
        """
        paths = {}
        for setting, file in files.items():
            stored = store.files.get(file, owner=job.owner)
            path = self.path / "data" / f"{setting}.{stored.format}"
            write_whole(path, b"".join(store.files.content(file, owner=job.owner)))
            paths[setting] = str(path)
        return paths

    def _begins_with(self, lines: Iterator[bytes]) -> bool:
        """Whether the journal has these lines at its beginning: others may be behind them."""
        with suppress(FileNotFoundError), self.run.journal.open("rb") as journal:
            return all(journal.readline() == line for line in lines)
        return next(lines, None) is None

    def _restore(self, store: Store, job: Job) -> None:
        """Make the run folder from the database."""
        names = {artifact.name for artifact in store.artifacts.list(job.id)}
        write_whole(self.run.journal, b"".join(_lines(store, job)))
        if PACKED in names:
            content = gzip.decompress(store.artifacts.read(job.id, PACKED))
            write_whole(self.run.path / CHECKPOINT, content)
        if rows := list(store.answers.all(job.id)):
            notes = json.loads(store.artifacts.read(job.id, NOTES)) if NOTES in names else {}
            make_of_copy(self.run.answers, rows, notes)
        prompt = sorted(name for name in names if name.startswith("prompt/"))  # prompt.json comes last
        for name in ("summary.json", *prompt, *ORIGINS):
            if name in names:
                write_whole(self.run.path / name, store.artifacts.read(job.id, name))


def _locked(path: Path) -> FileIO:
    file = path / "lock"
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        opened = file.open("ab", buffering=0)
    except OSError as error:
        raise unwritable(file, error, again="start the worker again") from error
    lock(opened, file, what="job")
    return opened


def _lines(store: Store, job: Job) -> Iterator[bytes]:
    """The lines of the job's journal that the database has."""
    after = -1
    while True:
        page = store.evaluations.list(job.id, after=after, limit=_PAGE)
        for row in page.rows:
            yield row.line.encode() + b"\n"
            after = row.number
        if not page.has_more:
            return


def find_folder(home: Path, job: Job, *, epoch: int) -> JobFolder:
    """The folder of a job; where a worker that has lost the job still sits in it, another one.

    Raises:
        RunError: there is none to be had.
    """
    try:
        return JobFolder(home / job.id)
    except RunError:
        return JobFolder(home / f"{job.id}.{epoch}")
