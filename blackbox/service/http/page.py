"""The page: files of this package, without a build step, and nothing from elsewhere."""

from collections.abc import Awaitable, Callable
from importlib.resources import files

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
    folder = files("blackbox.service.page")
    routes: list[BaseRoute] = []
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        kind = _TYPES.get(file.name.rpartition(".")[2])
        if kind is not None and file.is_file():
            path = "/" if file.name == "index.html" else f"/page/{file.name}"
            routes.append(Route(path, _serving(file.read_bytes(), kind), methods=["GET"], include_in_schema=False))
    return routes


def _serving(content: bytes, kind: str) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        return Response(content, media_type=kind, headers={"cache-control": "no-cache"})

    return serve
