"""The one body of every error: OpenAI's `error` object and the members of RFC 9457 (problem details) together."""

import logging
import secrets
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import Scope

from blackbox.backends import BackendError
from blackbox.errors import BlackboxError
from blackbox.optimizers import OptimizerError
from blackbox.service.http.errors import INTERNAL, INVALID, KINDS, NOT_FOUND, Kind, RefusalError, refusal_of

MEDIA_TYPE = "application/problem+json"
_log = logging.getLogger("blackbox.service")
_LONGEST = 600  # characters of a message


class OpenAIError(BaseModel):
    """The error as OpenAI's clients read it."""

    message: str
    type: str = Field(examples=["invalid_request_error"])
    param: str | None = Field(description="The part of the request that is wrong.", examples=["settings.sigma"])
    code: str = Field(examples=["invalid_request"])


class Problem(BaseModel):
    """The body of every error."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:blackbox:error:not_found",
                    "title": "There is no such thing",
                    "status": 404,
                    "detail": "there is no job 'job-0192'",
                    "instance": "/v1/tuning/jobs/job-0192",
                    "request_id": "req-5f0c2d7e9a314b68",
                    "error": {
                        "message": "there is no job 'job-0192'",
                        "type": "not_found_error",
                        "param": None,
                        "code": "not_found",
                    },
                }
            ]
        }
    )

    type: str = Field(description="A URI of the kind of error (RFC 9457).")
    title: str
    status: int
    detail: str
    instance: str = Field(description="The path that was asked for.")
    request_id: str = Field(description="Stands in the service's log, too.")
    error: OpenAIError


def request_id(scope: Scope) -> str:
    """The id of a request, made at the first call."""
    state = scope.setdefault("state", {})
    if "request_id" not in state:
        state["request_id"] = f"req-{secrets.token_hex(8)}"
    return str(state["request_id"])


def problem_response(scope: Scope, refusal: RefusalError) -> JSONResponse:
    """The answer to a request that is refused."""
    kind, message = refusal.kind, refusal.message
    text = message if len(message) <= _LONGEST else message[: _LONGEST - 1] + "…"
    body = {
        "type": f"urn:blackbox:error:{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": text,
        "instance": scope.get("path", "")[:_LONGEST],
        "request_id": request_id(scope),
        "error": {"message": text, "type": kind.type, "param": refusal.param, "code": kind.code},
    }
    return JSONResponse(body, kind.status, refusal.headers, MEDIA_TYPE)


def problem_responses(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: the errors that a route answers with."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {kind.status: {"description": kind.title, "content": {MEDIA_TYPE: {"schema": schema}}} for kind in kinds}


def add_handlers(app: FastAPI) -> None:
    """Every error of a route becomes a problem."""
    for error in (BlackboxError, BackendError, OptimizerError):
        app.add_exception_handler(error, _of_ours)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)


def log_failure(scope: Scope, error: Exception) -> None:
    """Write down what the caller is not told. Bodies and headers are not: they may hold secrets and task data."""
    path = (scope.get("raw_path") or b"").decode("latin-1")
    _log.error("%s %s %s failed", request_id(scope), scope.get("method"), path, exc_info=error)


async def _of_ours(request: Request, error: Exception) -> JSONResponse:
    refusal = refusal_of(error)
    if refusal.kind.status >= 500 and not isinstance(error, RefusalError):
        log_failure(request.scope, error)
    return problem_response(request.scope, refusal)


async def _of_validation(request: Request, error: Exception) -> JSONResponse:
    """The first thing that is wrong, by its place; never the value, which may be a secret or large."""
    found = error.errors()[0] if isinstance(error, RequestValidationError) else {"loc": (), "msg": str(error)}
    place = ".".join(str(part) for part in found["loc"] if part not in {"body", "query", "path", "header"})
    message = str(found["msg"]).removeprefix("Value error, ")
    if found.get("type") == "json_invalid":
        return problem_response(request.scope, RefusalError(KINDS[400], "the body is no JSON"))
    if found["loc"][:1] == ("path",):
        return problem_response(
            request.scope, RefusalError(NOT_FOUND, "there is no such thing here: ids look different")
        )
    text = f"{place}: {message[:1].lower()}{message[1:]}" if place else message
    return problem_response(request.scope, RefusalError(INVALID, text, param=place or None))


async def _of_http(request: Request, error: Exception) -> JSONResponse:
    """Starlette's own refusals: no such route, no such method, a form that cannot be read."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    kind = KINDS.get(status, INTERNAL)
    headers = {name.lower(): value for name, value in (getattr(error, "headers", None) or {}).items()}
    if status == 405:
        headers["allow"] = ", ".join(sorted(request.app.state.methods(request.url.path))) or headers.get("allow", "")
    texts = {404: f"there is no {request.url.path!r} here", 405: f"{request.method} is not taken here"}
    text = texts.get(status) or str(getattr(error, "detail", "")) or kind.title
    return problem_response(request.scope, RefusalError(kind, text, headers=headers))
