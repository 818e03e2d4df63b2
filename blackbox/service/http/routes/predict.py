"""`/v1/tuning/jobs/{job_id}/predict`: try a job's prompt on rows."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from blackbox.service.http.access import Submitter
from blackbox.service.http.errors import INVALID, RefusalError
from blackbox.service.http.job_body import PredictBody
from blackbox.service.http.parts import Given
from blackbox.service.http.routes.parameters import JobId
from blackbox.service.http.schemas import Answer, Predictions

router = APIRouter(prefix="/v1/tuning/jobs", tags=["jobs"])


@router.post("/{job_id}/predict", response_model=Predictions)
async def predict(job_id: JobId, body: PredictBody, caller: Submitter, parts: Given) -> Predictions:
    """Answers of the prompt that a job has found, by the model that it was found for. An endpoint's calls cost."""
    if len(body.rows) > parts.limits.predict_rows:
        raise RefusalError(INVALID, f"up to {parts.limits.predict_rows} rows at once", param="rows")
    job = await run_in_threadpool(parts.store.jobs.get, job_id, owner=caller.sees)
    answers = await parts.predicting.predict(job, body.rows)
    return Predictions(data=[Answer(answer=a.answer, probabilities=a.probabilities) for a in answers])
