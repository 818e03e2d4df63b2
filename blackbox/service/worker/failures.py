"""What the owner of a failed job is told: the cause in one line, without paths and addresses of the operator's."""

import re
from pathlib import Path

from blackbox.backends import BackendError, JournalError
from blackbox.errors import BlackboxError, DamagedFileError, RunError
from blackbox.optimizers import OptimizerError

LENGTH = 1000
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s'\"<>]+")
_EXPECTED = (BlackboxError, BackendError, OptimizerError)


def is_owners(error: Exception) -> bool:
    """Whether the request or its data are the cause, as far as the error's class tells."""
    return isinstance(error, _EXPECTED) and isinstance(error, ValueError | LookupError | TypeError)


def is_of_machine(error: Exception) -> bool:
    """Whether the worker's disk is the cause: no job has to fail for that, another worker can do it."""
    unwritable = isinstance(error, RunError) and isinstance(error.__cause__, OSError)
    return unwritable or isinstance(error, DamagedFileError | JournalError)


def told(error: Exception, folder: Path, *hidden: str | None) -> str:
    """One line for the owner.

    Args:
        error: what has ended the job.
        folder: of the job; paths in it begin behind it.
        hidden: words of the operator's that the owner shall not see, such as the host of an endpoint.
    """
    if not isinstance(error, _EXPECTED):
        return f"the service has failed ({type(error).__name__}); its operator's log says more"
    text = " ".join(str(error).split())
    for path in (folder.resolve(), folder):
        text = text.replace(f"{path}/data/", "").replace(f"{path}/", "").replace(str(path), "the job")
    text = _URL.sub("(address)", text)
    for word in hidden:
        if word:
            text = text.replace(word, "(address)")
    return text if len(text) <= LENGTH else text[: LENGTH - 3] + "..."
