"""What is new in a run's folder since it was last written to the database."""

import gzip
import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from blackbox.backends.api.journal_copy import copied_since
from blackbox.callbacks import Progress
from blackbox.files import read_json
from blackbox.run_folder import RunFolder
from blackbox.service.store import Artifact, Job, JobProgress, NewEvent
from blackbox.service.store.lease import Mirrored, Selected
from blackbox.service.worker.folder import CHECKPOINT, NOTES, ORIGINS, PACKED

HEAVY_S = 5.0
"""Seconds between two copies of the checkpoint and the prompt: at each generation their size would slow the search."""

_AT_END = ("summary.json", "report.html", "curve.png")


class FolderMirror:
    """Reads the run folder of a job. What `take` has returned counts as written once `written` is called.

    Args:
        run: the folder.
        job: as the worker claimed it: the database has `job.progress.entries` lines of the journal.
        artifacts: that the database has.
        answered: the last of the paid answers that the database has.
    """

    def __init__(self, run: RunFolder, job: Job, artifacts: Iterable[Artifact] = (), *, answered: int = 0) -> None:
        self._run = run
        self._progress = job.progress
        self._place = _length(run, job.progress.entries)
        self._hashes = {artifact.name: artifact.sha256 for artifact in artifacts}
        self._copied = float("-inf")
        self._answered = answered
        self._pending: tuple[JobProgress, int, dict[str, str], int] | None = None

    @property
    def progress(self) -> JobProgress:
        """As of what was last written."""
        return self._progress

    def take(self, progress: Progress | None, *, whole: bool = False) -> Mirrored:
        """What is new.

        Args:
            progress: the search's; None where it is not known, in an ended run.
            whole: with the checkpoint and the prompt, however lately they were copied, and the report, if there is one.
        """
        lines, place = self._new_lines()
        now = self._now(progress, len(lines))
        heavy = whole or time.monotonic() - self._copied >= HEAVY_S
        answers, notes = copied_since(self._run.answers, self._answered) if self._run.answers.exists() else ([], {})
        contents = self._contents(heavy, whole) | ({NOTES: json.dumps(notes).encode()} if notes else {})
        hashes = {name: _hash(content) for name, content in contents.items() if content is not None}
        changed = {name: content for name, content in contents.items() if hashes.get(name) != self._hashes.get(name)}
        kept = {name: known for name, known in self._hashes.items() if name not in contents}
        answered = answers[-1][0] if answers else self._answered
        self._pending = (now, place, {**kept, **hashes}, answered)
        if heavy:
            self._copied = time.monotonic()
        return Mirrored(
            progress=now,
            first=self._progress.entries,
            lines=lines,
            event=_generation(now),
            answers=answers,
            artifacts=changed,
            selected=_selected(self._run),
        )

    def written(self) -> None:
        """What was taken last is in the database."""
        if self._pending:
            self._progress, self._place, self._hashes, self._answered = self._pending

    def _new_lines(self) -> tuple[list[str], int]:
        """The whole lines behind those that are known, and where they end."""
        if not self._run.journal.exists():
            return [], self._place
        with self._run.journal.open("rb") as journal:
            journal.seek(self._place)
            content = journal.read()
        whole = content.rfind(b"\n") + 1
        return content[:whole].decode().splitlines(), self._place + whole

    def _now(self, progress: Progress | None, new: int) -> JobProgress:
        summary = self._run.read_summary()
        then = replace(
            self._progress,
            entries=self._progress.entries + new,
            requests=summary.requests,
            prompt_tokens=summary.prompt_tokens,
            completion_tokens=summary.completion_tokens,
            usd=summary.usd,
            seconds=summary.seconds,
        )
        if progress is None:
            figure = summary.dev_figure
            return replace(then, evaluations=summary.evaluations, dev=figure.to_dict() if figure else then.dev)
        return replace(
            then,
            evaluations=progress.evaluations,
            generation=progress.generation,
            train_loss=progress.train_loss,
            dev=progress.dev.to_dict() if progress.dev else None,
        )

    def _contents(self, heavy: bool, whole: bool) -> dict[str, bytes | None]:
        """The files that are to be compared with what the database has, by their names there."""
        path = self._run.path
        names = [name for name in ORIGINS if name not in self._hashes]
        names += _AT_END if whole else _AT_END[:1]
        found: dict[str, bytes | None] = {name: (path / name).read_bytes() for name in names if (path / name).exists()}
        if not heavy:
            return found
        if (path / CHECKPOINT).exists():
            found[PACKED] = gzip.compress((path / CHECKPOINT).read_bytes(), compresslevel=1, mtime=0)
        prompt = {f"prompt/{file.name}": file.read_bytes() for file in _files_of_prompt(self._run)}
        gone = {name: None for name in self._hashes if name.startswith("prompt/") and name not in prompt}
        return {**found, **prompt, **gone}


def _selected(run: RunFolder) -> Selected | None:
    path = run.prompt / "prompt.json"
    if not path.exists():
        return None
    values = read_json(path)
    return Selected(str(values.get("checksum")), str(values.get("text", "")))


def summary_of(run: RunFolder) -> dict[str, Any]:
    """The run's summary as JSON values."""
    return read_json(run.path / "summary.json")


def _generation(progress: JobProgress) -> NewEvent:
    loss = "none yet" if progress.train_loss is None else f"{progress.train_loss:.4f}"
    return NewEvent(
        "generation",
        f"Generation {progress.generation}: {progress.evaluations} evaluations, loss {loss}.",
        {
            "generation": progress.generation,
            "evaluations": progress.evaluations,
            "train_loss": progress.train_loss,
            "dev": progress.dev,
            "usd": progress.usd,
            "seconds": progress.seconds,
        },
    )


def _files_of_prompt(run: RunFolder) -> list[Any]:
    if not run.prompt.exists():
        return []
    return [file for file in sorted(run.prompt.iterdir()) if file.suffix in (".json", ".safetensors")]


def _length(run: RunFolder, lines: int) -> int:
    """The bytes of the first lines of the journal."""
    if not lines:
        return 0
    with run.journal.open("rb") as journal:
        return sum(len(journal.readline()) for _ in range(lines))


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
