"""All routes of the service, in the order of its document."""

from fastapi import APIRouter

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
