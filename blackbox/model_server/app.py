"""The routes of the model server. See docs/model-server.md for the protocol."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from blackbox.backends import Backend
from blackbox.backends.remote.container import MEDIA_TYPE
from blackbox.backends.remote.description import Limits
from blackbox.backends.remote.refusals import MEDIA_TYPE as PROBLEM
from blackbox.backends.remote.refusals import Refused, body_of
from blackbox.model_server.access import Access
from blackbox.model_server.body import read_body
from blackbox.model_server.calls import Reader
from blackbox.model_server.desk import Desk
from blackbox.model_server.served import described, servable
from blackbox.model_server.together import seams
from blackbox.model_server.worker import Worker

MOST_WORDS = 256
"""Of one request for the model's description."""

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def make_app(
    backend: Backend,
    *,
    token: str | None = None,
    limits: Limits | None = None,
    exact: bool = True,
    wait_seconds: float = 0.003,
    single_token_labels: bool = False,
) -> FastAPI:
    """The application that serves a model.

    Args:
        backend: a local backend, or another one with vectors and text.
        token: that calls must bring; None serves the loopback only.
        limits: of a call, and how many there may be.
        exact: put calls together only where that changes no bit of their answers.
        wait_seconds: how long calls that are being received are waited for.
        single_token_labels: whether the backend refuses label words of several tokens.

    Raises:
        BackendSettingError: a backend without vectors or text.
    """
    model, limits, access = servable(backend), limits or Limits(), Access(token)
    worker = Worker(model, seams(model, exact=exact), most_prompts=limits.prompts, wait_seconds=max(0.0, wait_seconds))
    reader = Reader(model, limits)
    desk = Desk(reader, worker, limits)
    description = described(model, limits, single_token_labels=single_token_labels)

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        worker.start()
        yield
        worker.stop()

    app = FastAPI(title="blackbox model server", lifespan=running, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_middleware(Guard, access=access)

    async def healthz() -> Response:
        return Response(b'{"status": "ok"}', media_type="application/json", headers=_HEADERS)

    async def model_of(request: Request) -> Response:
        words = request.query_params.getlist("word")
        if len(words) > MOST_WORDS:
            return _problem(Refused(422, "setting", f"at most {MOST_WORDS} words, got {len(words)}"), request)
        known = await desk.tokens(words, partial(_gone, request))
        if isinstance(known, Refused):
            return _problem(known, request)
        found = description.model_copy(update={"words": known})
        return Response(found.model_dump_json(), media_type="application/json", headers=_HEADERS)

    async def call(request: Request) -> Response:
        body = partial(read_body, request.headers, request.stream(), limits)
        answer = await desk.answer(request.url.path, body, partial(_gone, request))
        if isinstance(answer, Refused):
            return _problem(answer, request)
        return Response(answer, media_type=MEDIA_TYPE, headers=_HEADERS)

    app.add_api_route("/healthz", healthz)
    app.add_api_route("/v1/model", model_of)
    for path in reader.paths:
        app.add_api_route(path, call, methods=["POST"])
    return app


class Guard:
    """Asks for the token before anything else of a request is read. Whether there is a server, everybody may ask.

    Args:
        app: what is guarded.
        access: who may ask.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/healthz":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        why = self._access.refusal(request.headers.get("authorization"), request.headers.get("host"))
        await (self._app if why is None else _problem(why, request))(scope, receive, send)


async def _gone(request: Request) -> None:
    """Returns when the client goes away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _of_http(request: Request, error: Exception) -> Response:
    """What the framework refuses: an address or a method that there is not."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        return _problem(Refused(405, "method", f"{request.url.path} does not take {request.method}"), request)
    return _problem(Refused(404, "not_found", f"there is no {request.url.path}"), request)


def _problem(why: Refused, request: Request) -> Response:
    headers = dict(_HEADERS)
    if why.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if why.status == 503:
        headers["Retry-After"] = "1"
    if why.status in (408, 413):
        headers["Connection"] = "close"  # the rest of the body is not read
    return Response(body_of(why, instance=request.url.path), why.status, headers, PROBLEM)
