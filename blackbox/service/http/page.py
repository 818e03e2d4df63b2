"""The page: files of this package, without a build step, and nothing from elsewhere."""

from collections.abc import Awaitable, Callable
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


def page_routes() -> list[BaseRoute]:
    """A route for each file of the page, read once: no path of a request ever reaches the disk."""
    report = files("blackbox.report").joinpath("style.css")  # reports of runs and the page look alike
    found = {"report.css": report} | {file.name: file for file in files("blackbox.service.page").iterdir()}
    return [_route(name, file) for name, file in sorted(found.items()) if file.is_file() and _kind(name) is not None]


def _kind(name: str) -> str | None:
    return _TYPES.get(name.rpartition(".")[2])


def _route(name: str, file: Traversable) -> BaseRoute:
    path = "/" if name == "index.html" else f"/page/{name}"
    return Route(path, _serving(file.read_bytes(), _kind(name)), methods=["GET"], include_in_schema=False)


def _serving(content: bytes, kind: str | None) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        return Response(content, media_type=kind, headers={"cache-control": "no-cache"})

    return serve
