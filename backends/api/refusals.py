"""What an endpoint means by an error status: wait, ask again, ask otherwise, or stop."""

import json
import re
from collections.abc import Iterator, Mapping

from blackbox.backends.api.endpoint import Endpoint
from blackbox.backends.errors import EndpointError, GarbageError, KeyRefusedError, QuotaError, RefusedError

_AGAIN = {408, 409, 425, 429}
"""Refusals of the moment, beside all from 500 on."""

_QUOTA_CODES = {
    "billing_error",
    "billing_hard_limit_reached",
    "billing_not_active",
    "credits_exhausted",
    "insufficient_balance",
    "insufficient_credits",
    "insufficient_funds",
    "insufficient_quota",
}
# "You exceeded your current quota" is not among the words: Gemini says so of a limit by the minute.
_QUOTA_WORDS = re.compile(r"credit balance is too low|insufficient (?:account )?(?:balance|credit|fund)", re.IGNORECASE)

_NAME = r"['\"`]([\w.\[\]-]+)['\"`]"
_DENIED = re.compile(r"not allowed to request (\w+) from this model", re.I)
"""OpenAI's reasoning models say so of log-probabilities, with a 403: a parameter is refused, not the key."""

_PARAMETERS = (
    re.compile(rf"(?:parameter|field|argument|property|option|value|key|input)s?(?: supplied| name)?:? {_NAME}", re.I),
    re.compile(rf"{_NAME} (?:is|was|are|does|do) (?:not|un)", re.I),
    re.compile(r"(?:unrecognized|unknown|unexpected) [\w ]*(?:argument|parameter|field)s?[\w ]*: ([\w.]+)", re.I),
    re.compile(r"^([\w.]+): extra inputs are not permitted", re.I),
    _DENIED,
)


def refusal(status: int, body: bytes, endpoint: Endpoint) -> EndpointError | None:
    """The error that a status of 300 or more stands for; None where the call may be sent again as it is.

    Args:
        status: of HTTP.
        body: of the answer, whatever it is.
        endpoint: takes secrets out of what the answer says.
    """
    said = _said(body)
    message = endpoint.hide(said.get("message", ""))
    if status < 500 and _is_quota(status, said):
        return QuotaError(f"{endpoint}: the account's quota is used up: {message or status}")
    if status in _AGAIN or status >= 500:
        return None
    if status in (401, 403) and not _DENIED.search(said.get("message", "")):  # the message may quote a part of the key
        code = endpoint.hide(said.get("code") or said.get("type") or "no reason given")
        return KeyRefusedError(f"{endpoint} refuses the key with {status} ({code})", status=status)
    if status < 400:
        message = "it answers with a redirect, which is not followed; is the base URL the right one?"
    parameter = _parameter(said)
    return RefusedError(f"{endpoint} refuses the call with {status}: {message}", status=status, parameter=parameter)


def error_within(value: object) -> int | None:
    """The status of the error that a reply holds though it came with a 200; None where it holds none.

    An error that comes up while the model writes can no longer change the status
    (https://openrouter.ai/docs/api/reference/errors-and-debugging). One that names no status of HTTP is a 500.
    """
    if not isinstance(value, dict):
        return None
    error = value if value.get("object") == "error" else value.get("error")
    if not error:
        return None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code < 600 else 500


def parsed(body: bytes) -> object:
    """The JSON value of a body.

    Raises:
        GarbageError: it is no JSON, which has no NaN either.
    """
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise GarbageError(f"no JSON came back but {len(body)} bytes of something else") from error


def _not_json(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_not_json)


def _is_quota(status: int, said: Mapping[str, str]) -> bool:
    named = {said.get("code", ""), said.get("type", "")} & _QUOTA_CODES
    return status == 402 or bool(named) or bool(_QUOTA_WORDS.search(said.get("message", "")))


def _parameter(said: Mapping[str, str]) -> str | None:
    """The parameter that the endpoint names: in its own field, or quoted in the message."""
    if "param" in said:
        return said["param"]
    matches = (pattern.search(said.get("message", "")) for pattern in _PARAMETERS)
    return next((match.group(1) for match in matches if match), None)


def _said(body: bytes) -> dict[str, str]:
    """`message`, `type`, `code` and `param` of an error's body, as far as it has them."""
    try:
        value = parsed(body)
    except GarbageError:
        return {"message": body[:2000].decode("utf-8", "replace")}
    return dict(_fields(value))


def _fields(value: object) -> Iterator[tuple[str, str]]:
    """The fields of all forms that are met: OpenAI, Anthropic, FastAPI's `detail`, Ollama's text, Gemini's list."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str):
        yield "message", value
    if not isinstance(value, dict):
        return
    for name in ("error", "detail"):
        if name in value:
            yield from _fields(value[name])
            return
    for name in ("message", "msg", "type", "code", "param"):
        if isinstance(value.get(name), str) and value[name]:
            yield ("message" if name == "msg" else name), value[name]
    place = value.get("loc")
    if isinstance(place, list) and place and isinstance(place[-1], str):
        yield "param", place[-1]
