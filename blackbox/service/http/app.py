"""The application: routes, errors and limits put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.types import ASGIApp

from blackbox.service.http.access import Authority
from blackbox.service.http.description import describe
from blackbox.service.http.guard import LOOPBACK, Guard
from blackbox.service.http.limits import Limits
from blackbox.service.http.metrics import Counters
from blackbox.service.http.page import page_routes
from blackbox.service.http.parts import Parts
from blackbox.service.http.predicting import Predicting
from blackbox.service.http.problems import add_handlers
from blackbox.service.http.routers import ROUTERS, methods_of
from blackbox.service.http.streams import Streams
from blackbox.service.operator import Operator
from blackbox.service.store import Store


def make_app(
    store: Store,
    operator: Operator,
    *,
    folder: Path,
    loopback: bool = True,
    hosts: frozenset[str] | None = None,
    limits: Limits | None = None,
) -> ASGIApp:
    """The service as an ASGI application.

    Args:
        store: what it keeps; it is not closed here.
        operator: the models that jobs may ask.
        folder: for the answers that predictions have paid for.
        loopback: whether it is reached from its own machine only. Then nobody needs a token until there is one, and a
            Host header must name this machine.
        hosts: names that a Host header may have; None: those of this machine on loopback, else any.
        limits: of requests.
    """
    limits, counters = limits or Limits(), Counters()
    parts = Parts(
        store=store,
        operator=operator,
        limits=limits,
        authority=Authority(store, open_without_tokens=loopback),
        streams=Streams(store, limits=limits, counters=counters),
        predicting=Predicting(store, operator, limits=limits, folder=folder),
        counters=counters,
    )
    app = make_api(parts)
    return Guard(app, limits=limits, counters=counters, hosts=hosts or (LOOPBACK if loopback else None))


def make_api(parts: Parts) -> FastAPI:
    """The routes, without what every request passes before them."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        parts.predicting.close()

    app = FastAPI(docs_url=None, redoc_url=None, lifespan=lifespan, redirect_slashes=False)
    app.state.parts, app.state.methods = parts, methods_of
    add_handlers(app)
    for router in ROUTERS:
        app.include_router(router)
    app.router.routes.extend(page_routes())
    describe(app)
    return app
