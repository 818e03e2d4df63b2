"""`/v1/tuning/jobs/{job_id}/events`: what happens to a job, as pages or as it happens."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from blackbox.service.http.access import Caller, Reader
from blackbox.service.http.errors import INVALID, RefusalError
from blackbox.service.http.limits import wants_stream
from blackbox.service.http.parts import Given, Parts
from blackbox.service.http.routes.parameters import JobId, Limit
from blackbox.service.http.schemas import EventView, ListOf, page_of
from blackbox.service.store import Job

router = APIRouter(prefix="/v1/tuning/jobs", tags=["jobs"])

_STREAM: dict[str, Any] = {
    "description": "A page, or with `stream=true` (or `Accept: text/event-stream`) the events as they happen: each has "
    "its number as `id`; `Last-Event-ID` or `after` says where to go on. The last event is `end`.",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}


@router.get("/{job_id}/events", response_model=ListOf[EventView], responses={200: _STREAM})
async def list_events(
    job_id: JobId,
    request: Request,
    *,
    caller: Reader,
    parts: Given,
    after: Annotated[int, Query(ge=0, le=2**31 - 1, description="Events behind this number.")] = 0,
    limit: Limit = 100,
    stream: Annotated[bool, Query(description="Send events as they happen.")] = False,
    last_event_id: Annotated[
        str | None, Header(max_length=20, description="The number of the last event that has arrived.")
    ] = None,
) -> Response:
    """Events of a job in their order, 1, 2, ... without gaps."""
    job = await run_in_threadpool(parts.store.jobs.get, job_id, owner=caller.sees)
    if wants_stream(request.scope):
        return _Stream(parts, caller, job, _number(last_event_id) if last_event_id else after)
    page = await run_in_threadpool(parts.store.events.list, job.id, after=after, limit=limit)
    values = page_of(map(EventView.of, page.rows), (str(e.number) for e in page.rows), has_more=page.has_more)
    return JSONResponse(ListOf[EventView](**values).model_dump())


class _Stream(StreamingResponse):
    """A stream that is counted out when it ends, also where the watcher is gone before its first event."""

    def __init__(self, parts: Parts, caller: Caller, job: Job, after: int) -> None:
        self._leave = partial(parts.streams.leave, caller.owner)
        parts.streams.enter(caller.owner)
        content = parts.streams.follow(job, after=after)
        super().__init__(content, media_type="text/event-stream", headers={"x-accel-buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise RefusalError(INVALID, "Last-Event-ID must be the number of an event", param="Last-Event-ID")
    return int(text)
