"""What the owner of a failed job is told: the cause in one line, without paths and addresses of the operator's."""

import re
from pathlib import Path

from blackbox.backends import BackendError
from blackbox.errors import BlackboxError
from blackbox.optimizers import OptimizerError

LENGTH = 1000
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s'\"<>]+")
_EXPECTED = (BlackboxError, BackendError, OptimizerError)


def is_owners(error: Exception) -> bool:
    """Whether the request or its data are the cause, as far as the error's class tells."""
    return isinstance(error, _EXPECTED) and isinstance(error, ValueError | LookupError | TypeError)


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
