"""`/v1/tuning/jobs/{job_id}/result`: the prompt that was found, as JSON or to download."""

import io
import json
import zipfile
from hashlib import sha256
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from blackbox.saved_prompt import JSON_FILE
from blackbox.service.http.access import Reader
from blackbox.service.http.parts import Given
from blackbox.service.http.prompts import prompt_files
from blackbox.service.http.routes.parameters import JobId
from blackbox.service.http.schemas import ArtifactView, ResultView
from blackbox.service.store import Job

router = APIRouter(prefix="/v1/tuning/jobs", tags=["jobs"])

_ZIP: dict[str, Any] = {
    "description": "What was found; with `format=zip` the saved prompt's files, for `blackbox.SavedPrompt.load`.",
    "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
}
Form = Annotated[Literal["json", "zip"], Query(description="json, or zip: the saved prompt's files to download.")]


@router.get("/{job_id}/result", response_model=ResultView, responses={200: _ZIP})
def get_result(job_id: JobId, caller: Reader, parts: Given, format: Form = "json") -> Response:
    """The best prompt so far, of a job that has one: the final one once the job has ended."""
    job = parts.store.jobs.get(job_id, owner=caller.sees)
    files = prompt_files(parts.store, job)
    if format == "zip":
        name = f'attachment; filename="{job.id}.zip"'
        return Response(_zipped(files), media_type="application/zip", headers={"content-disposition": name})
    return JSONResponse(_view(job, files).model_dump())


def _view(job: Job, files: dict[str, bytes]) -> ResultView:
    known = [
        ArtifactView(name=name, bytes=len(content), sha256=sha256(content).hexdigest())
        for name, content in sorted(files.items())
    ]
    return ResultView(
        id=job.id,
        status=job.status,
        stop_reason=job.stop_reason,
        summary=dict(job.summary) if job.summary is not None else None,
        prompt=json.loads(files[JSON_FILE]),
        files=known,
    )


def _zipped(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), data)
    return content.getvalue()
