"""All routes of the service, in the order of its document."""

from fastapi import APIRouter
from fastapi.routing import APIRoute

from blackbox.service.http.routes import events, files, health, jobs, lists, models, predict, results

ROUTERS: tuple[APIRouter, ...] = (
    jobs.router,
    events.router,
    lists.router,
    results.router,
    predict.router,
    files.router,
    models.router,
    health.router,
)


def methods_of(path: str) -> set[str]:
    """The methods that a path takes, over all its routes: Starlette tells those of the first one."""
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    return {method for route in routes if route.path_regex.fullmatch(path) for method in route.methods or ()}
