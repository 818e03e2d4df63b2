"""`/healthz`, `/readyz` and `/metrics`: for those who watch the service."""

from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from blackbox.service.http.access import Reader
from blackbox.service.http.metrics import MEDIA_TYPE, exposition
from blackbox.service.http.parts import Given

router = APIRouter(tags=["service"])

_TEXT: dict[str, Any] = {
    "description": "Prometheus' text format.",
    "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
}


class Health(BaseModel):
    """The service is there."""

    status: Literal["ok"] = "ok"


@router.get("/healthz", response_model=Health)
async def healthz() -> Health:
    """Whether the process answers."""
    return Health()


@router.get("/readyz", response_model=Health)
async def readyz(parts: Given) -> Health:
    """Whether the database answers, too; 503 where it does not."""
    await run_in_threadpool(parts.store.ping)
    return Health()


@router.get("/metrics", response_class=PlainTextResponse, responses={200: _TEXT})
async def metrics(caller: Reader, parts: Given) -> PlainTextResponse:
    """Figures of this process, and the numbers of jobs by status."""
    counts = await run_in_threadpool(parts.store.jobs.counts)
    jobs = {str(status): count for status, count in counts.items()}
    return PlainTextResponse(exposition(parts.counters, jobs), media_type=MEDIA_TYPE)
