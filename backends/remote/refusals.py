"""Errors of a model server: one body, for people and for programs, and the error that it stands for at the client.

The body is JSON with the members of RFC 9457 (problem details) and OpenAI's `error` object side by side. A model that
refuses a call raises at the client what it would raise in the client's own process.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from blackbox.backends.errors import (
    BackendError,
    BackendSettingError,
    LabelWordError,
    MessageError,
    ModelMemoryError,
    QueryError,
    UnsupportedPromptError,
)

MEDIA_TYPE = "application/problem+json"
OTHER_MODEL = "other_model"

_SAID = 2000
"""So many characters of what a server says are kept."""


@dataclass(frozen=True)
class Refused:
    """Why a call is refused.

    Attributes:
        status: of HTTP.
        code: a word for programs.
        message: one line for people.
    """

    status: int
    code: str
    message: str


_OF_MODELS: Mapping[type[BackendError], tuple[int, str]] = {
    UnsupportedPromptError: (422, "unsupported_prompt"),
    QueryError: (422, "query"),
    LabelWordError: (422, "label_word"),
    BackendSettingError: (422, "setting"),
    MessageError: (400, "message"),
    ModelMemoryError: (507, "model_memory"),
}
_TITLES = {
    "authentication": "A valid token is needed",
    "busy": "The server is busy; ask again",
    "failed": "The model failed; the server's log says why",
    "host": "The Host header names another server",
    "label_word": "A label word cannot be scored",
    "media_type": "The body must be a safetensors file",
    "message": "The message is not as the protocol says",
    "method": "This address does not take that method",
    "model_memory": "The model does not fit in memory",
    "not_found": "There is no such address",
    OTHER_MODEL: "The server has another model",
    "query": "The model cannot read a query",
    "setting": "A value is out of its range",
    "slow": "The body took too long to arrive",
    "too_large": "The call is too large",
    "unsupported_prompt": "The model does not take such prompts",
}
_TYPES = {401: "authentication_error", 404: "not_found_error", 409: "conflict_error"}


def refused(error: BackendError) -> Refused | None:
    """How a server refuses a call of which its model says this; None for what is no fault of the call."""
    for kind, (status, code) in _OF_MODELS.items():
        if isinstance(error, kind):
            return Refused(status, code, str(error))
    return None


def body_of(why: Refused, *, instance: str) -> bytes:
    """The body of an error; `instance` is the path that was asked for."""
    message = " ".join(why.message.split())[:_SAID]
    kind = _TYPES.get(why.status, "server_error" if why.status >= 500 else "invalid_request_error")
    values = {
        "type": f"urn:blackbox:error:{why.code}",
        "title": _TITLES[why.code],
        "status": why.status,
        "detail": message,
        "instance": instance[:_SAID],
        "error": {"message": message, "type": kind, "param": None, "code": why.code},
    }
    return json.dumps(values).encode()


def code_of(body: bytes) -> tuple[str, str]:
    """The code and the message of an error's body; empty texts where it is none."""
    try:
        value: Any = json.loads(body)
        error = value["error"]
        return str(error["code"]), str(error["message"])[:_SAID]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "", ""


def raised(body: bytes) -> BackendError | None:
    """The error that the model has raised, if the body says that it has."""
    code, message = code_of(body)
    for kind, (_, name) in _OF_MODELS.items():
        if name == code:
            return kind(message)
    return None
