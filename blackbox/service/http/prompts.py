"""The prompts that jobs have found, from the store's files of their runs."""

import tempfile
from dataclasses import replace
from pathlib import Path

from blackbox.saved_prompt import JSON_FILE, SavedPrompt
from blackbox.service.errors import ConflictError
from blackbox.service.operator import shown_model
from blackbox.service.store import Job, Store

_FOLDER = "prompt/"


def read_prompt(store: Store, job: Job) -> SavedPrompt:
    """The prompt that a job has found so far.

    Raises:
        ConflictError: it has found none.
    """
    with tempfile.TemporaryDirectory(prefix="blackbox-") as folder:
        return _load(_stored(store, job), Path(folder))


def prompt_files(store: Store, job: Job) -> dict[str, bytes]:
    """The files of that prompt by their names, for its owner: without the operator's folder of the model.

    Raises:
        ConflictError: it has found none.
    """
    files = _stored(store, job)
    with tempfile.TemporaryDirectory(prefix="blackbox-") as folder:
        saved = _load(files, Path(folder))
        if (name := shown_model(saved.model)) == saved.model:
            return files
        replace(saved, model=name).save(folder)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def _stored(store: Store, job: Job) -> dict[str, bytes]:
    names = [artifact.name for artifact in store.artifacts.list(job.id) if artifact.name.startswith(_FOLDER)]
    files = {Path(name).name: store.artifacts.read(job.id, name) for name in names}
    if JSON_FILE not in files:
        raise ConflictError(f"job {job.id} is {job.status} and has found no prompt yet")
    return files


def _load(files: dict[str, bytes], folder: Path) -> SavedPrompt:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return SavedPrompt.load(folder)
