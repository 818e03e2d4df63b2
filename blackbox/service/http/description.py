"""The OpenAPI document at `/openapi.json`."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

import blackbox.service.http.errors as kinds
from blackbox.service.http.problems import MEDIA_TYPE, Problem

_KINDS = (
    *(kinds.BAD_REQUEST, kinds.UNAUTHENTICATED, kinds.FORBIDDEN, kinds.NOT_FOUND, kinds.METHOD, kinds.TIMEOUT),
    *(kinds.CONFLICT, kinds.TOO_LARGE, kinds.URI_TOO_LONG, kinds.MEDIA, kinds.MISDIRECTED, kinds.INVALID, kinds.RATE),
    *(kinds.HEADERS, kinds.INTERNAL, kinds.UPSTREAM, kinds.UNAVAILABLE, kinds.OVERDUE),
)
_TEXT = """Hand in a task and get a prompt back.

Every error has one body: OpenAI's `error` object and the members of RFC 9457. Lists have pages: `after` is the
`last_id` of the page before. Times are seconds since 1970 (UTC). Sizes, rates and times have limits: what passes them
is refused with 413, 429, 408 or 504."""
_VERSION = "1"
_LINKS = (("/v1/tuning/jobs", "201", "job_id"), ("/v1/files", "201", "file_id"))


def describe(app: FastAPI) -> None:
    """Give an application the document, made once when it is first asked for."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title="blackbox: tuning service", version=_VERSION, description=_TEXT, routes=app.routes)
    schemas = document["components"]["schemas"]
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs")
    schemas["Problem"] = problem
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path, status, target in _LINKS:
        document["paths"][path]["post"]["responses"][status]["links"] = _links(document, target)
    responses = {str(kind.status): _response(kind) for kind in _KINDS}
    for methods in document["paths"].values():
        for operation in methods.values():
            operation["responses"] = {**operation["responses"], **responses}
    return document


def _links(document: dict[str, Any], parameter: str) -> dict[str, Any]:
    """What the id of something new can be used for (OpenAPI, "Link Object")."""
    return {
        operation["operationId"]: {
            "operationId": operation["operationId"],
            "parameters": {f"path.{parameter}": "$response.body#/id"},
        }
        for path, methods in document["paths"].items()
        if f"{{{parameter}}}" in path
        for operation in methods.values()
    }


def _response(kind: kinds.Kind) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": kind.title, "content": {MEDIA_TYPE: {"schema": schema}}}
