"""`/v1/tuning/jobs`: hand in, list, look at, pause, resume, cancel, delete."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response

from blackbox.service.http.access import Reader, Submitter
from blackbox.service.http.errors import INVALID, RefusalError
from blackbox.service.http.job_body import NO_NUL, JobBody
from blackbox.service.http.parts import Given
from blackbox.service.http.routes.parameters import After, JobId, Limit
from blackbox.service.http.schemas import Deleted, JobView, ListOf, page_of
from blackbox.service.jobs import JobStatus
from blackbox.service.jobs.request import JobRequest
from blackbox.template import Template

router = APIRouter(prefix="/v1/tuning/jobs", tags=["jobs"])

_METADATA = re.compile(r"metadata\[([^\[\]]{1,64})\]")
_METADATA_PARAMETER: dict[str, Any] = {
    "name": "metadata",
    "in": "query",
    "required": False,
    "style": "deepObject",
    "explode": True,
    "description": "Only jobs with these keys and values: `metadata[team]=support`.",
    "schema": {
        "type": "object",
        "maxProperties": 16,
        "propertyNames": {"pattern": r"^[^\[\]\x00]{1,64}$"},
        "additionalProperties": {"type": "string", "maxLength": 512, "pattern": NO_NUL},
    },
}
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="The same key with the same request gives the same job, however often it is sent.",
    ),
]


@router.post(
    "",
    status_code=201,
    response_model=JobView,
    responses={200: {"model": JobView, "description": "The job that an earlier request with this key has made."}},
)
def create_job(
    body: JobBody, caller: Submitter, parts: Given, response: Response, idempotency_key: IdempotencyKey = None
) -> JobView:
    """Hand in a job: a search for a prompt, by one of the operator's models."""
    request = JobRequest.of(body.request())
    for file in request.files.values():
        parts.store.files.get(file, owner=caller.owner)
    budget = parts.operator.check(request)
    if "template" in request.settings:
        Template(request.settings["template"])  # the rows are looked at by the worker, this costs nothing
    job, is_new = parts.store.jobs.create(
        caller.owner,
        request.model_dump(),
        backend=request.backend,
        budget=budget,
        files=tuple(request.files.values()),
        metadata=body.metadata,
        idempotency_key=idempotency_key,
    )
    response.headers["location"] = f"/v1/tuning/jobs/{job.id}"
    response.status_code = 201 if is_new else 200
    return JobView.of(job)


@router.get("", response_model=ListOf[JobView], openapi_extra={"parameters": [_METADATA_PARAMETER]})
def list_jobs(
    request: Request,
    *,
    caller: Reader,
    parts: Given,
    after: After = None,
    limit: Limit = 20,
    status: Annotated[list[JobStatus], Query(description="Only jobs with one of these.", max_length=9)] = [],  # noqa: B006
) -> dict[str, Any]:
    """Jobs, the newest first; settings of more than 500 characters are left out here."""
    page = parts.store.jobs.list(
        owner=caller.sees, after=after, limit=limit, statuses=status, metadata=_metadata(request)
    )
    return page_of(map(JobView.brief, page.rows), (job.id for job in page.rows), has_more=page.has_more)


@router.get("/{job_id}", response_model=JobView)
def get_job(job_id: JobId, caller: Reader, parts: Given) -> JobView:
    """A job as it stands."""
    return JobView.of(parts.store.jobs.get(job_id, owner=caller.sees))


@router.post("/{job_id}/cancel", response_model=JobView)
def cancel_job(job_id: JobId, caller: Submitter, parts: Given) -> JobView:
    """End a job: one that runs, behind its present generation. What it has found is kept."""
    return JobView.of(parts.store.jobs.cancel(job_id, owner=caller.sees))


@router.post("/{job_id}/pause", response_model=JobView)
def pause_job(job_id: JobId, caller: Submitter, parts: Given) -> JobView:
    """Stop a job behind its present generation, to go on later as if nothing had been."""
    return JobView.of(parts.store.jobs.pause(job_id, owner=caller.sees))


@router.post("/{job_id}/resume", response_model=JobView)
def resume_job(job_id: JobId, caller: Submitter, parts: Given) -> JobView:
    """Let a paused job go on."""
    return JobView.of(parts.store.jobs.resume(job_id, owner=caller.sees))


@router.delete("/{job_id}", response_model=Deleted)
def delete_job(job_id: JobId, caller: Submitter, parts: Given) -> Deleted:
    """Remove a job that has ended, with all that it has found."""
    parts.store.jobs.delete(job_id, owner=caller.sees)
    return Deleted(id=job_id, object="tuning.job")


def _metadata(request: Request) -> dict[str, str]:
    """The parameters `metadata[key]=value`."""
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name.startswith("metadata"):
            match = _METADATA.fullmatch(name)
            if match is None or len(value) > 512 or "\0" in value + name or len(found) >= 16:
                raise RefusalError(INVALID, "write metadata[key]=value, up to 16 of them", param="metadata")
            found[match[1]] = value
    return found
