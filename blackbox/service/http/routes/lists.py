"""`/v1/tuning/jobs/{job_id}/evaluations` and `/checkpoints`."""

from typing import Any

from fastapi import APIRouter

from blackbox.service.http.access import Reader
from blackbox.service.http.parts import Given
from blackbox.service.http.routes.parameters import JobId, Limit, Number
from blackbox.service.http.schemas import CheckpointView, EvaluationView, ListOf, page_of

router = APIRouter(prefix="/v1/tuning/jobs", tags=["jobs"])


@router.get("/{job_id}/evaluations", response_model=ListOf[EvaluationView])
def list_evaluations(
    job_id: JobId, caller: Reader, parts: Given, after: Number = -1, limit: Limit = 100
) -> dict[str, Any]:
    """Every prompt that was scored, in order, 0, 1, ...: on which rows, with which loss, at what cost."""
    job = parts.store.jobs.get(job_id, owner=caller.sees)
    page = parts.store.evaluations.list(job.id, after=after, limit=limit)
    return page_of(map(EvaluationView.of, page.rows), (str(e.number) for e in page.rows), has_more=page.has_more)


@router.get("/{job_id}/checkpoints", response_model=ListOf[CheckpointView])
def list_checkpoints(
    job_id: JobId, caller: Reader, parts: Given, after: Number = -1, limit: Limit = 100
) -> dict[str, Any]:
    """The generations in which another prompt was selected."""
    job = parts.store.jobs.get(job_id, owner=caller.sees)
    page = parts.store.evaluations.checkpoints(job.id, after=after, limit=limit)
    return page_of(map(CheckpointView.of, page.rows), (str(c.generation) for c in page.rows), has_more=page.has_more)
