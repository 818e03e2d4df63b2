"""The checkpoint: the state of a search between two generations, with a checksum.

It only saves time. The journal alone brings a run back: without a checkpoint the search is replayed from its start with
the answers that the journal holds.
"""

import hashlib
import json
from pathlib import Path

from blackbox.errors import DamagedFileError, MismatchError
from blackbox.files import read_json, write_whole

FORMAT = 1


def save_checkpoint(path: Path, state: dict[str, object]) -> None:
    """Write a state of JSON values, whole."""
    text = json.dumps(state)
    content = {"format": FORMAT, "sha256": hashlib.sha256(text.encode()).hexdigest(), "state": state}
    write_whole(path, json.dumps(content).encode())


def load_checkpoint(path: Path) -> dict[str, object] | None:
    """The state that was saved; None where there is no checkpoint yet.

    Raises:
        DamagedFileError: the file is not what was written; the text says how to go on without it.
        MismatchError: a newer version of blackbox wrote it.
    """
    if not path.exists():
        return None
    way_out = "delete it and resume: the search is then replayed from the journal, nothing is paid for twice"
    try:
        content = read_json(path)
    except DamagedFileError as error:
        raise DamagedFileError(f"{error}; {way_out}") from error
    if isinstance(number := content.get("format"), int) and number > FORMAT:
        raise MismatchError(f"{path} has format {number}, this version reads up to {FORMAT}; upgrade blackbox-prompts")
    state = content.get("state")
    if not isinstance(state, dict) or _checksum(state) != content.get("sha256"):
        raise DamagedFileError(f"{path} is damaged: its checksum does not match; {way_out}")
    return state


def _checksum(state: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()
