"""`/v1/files`: rows of tasks."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import Response, StreamingResponse

from blackbox.service.errors import QuotaError
from blackbox.service.http.access import Reader, Submitter
from blackbox.service.http.errors import INVALID, MEDIA, TOO_LARGE, RefusalError
from blackbox.service.http.parts import Given, Parts
from blackbox.service.http.routes.parameters import After, FileId, Limit
from blackbox.service.http.schemas import Deleted, FileView, ListOf, page_of
from blackbox.service.http.uploads import check_rows, clean_name
from blackbox.service.store import StoredFile

router = APIRouter(prefix="/v1/files", tags=["files"])

PURPOSE = "task-data"
_CHUNK = 1 << 20
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "Rows in UTF-8: .csv with the fields' names in its first line, or .jsonl.",
                        },
                        "purpose": {"type": "string", "enum": [PURPOSE], "default": PURPOSE},
                    },
                }
            }
        },
    }
}
_CONTENT: dict[str, Any] = {
    "description": "The file as it was handed in.",
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


@router.post("", status_code=201, response_model=FileView, openapi_extra=_BODY)
async def upload_file(request: Request, caller: Submitter, parts: Given) -> FileView:
    """Hand in rows. Every line is read and checked, and the first one that is wrong is named."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
        raise RefusalError(MEDIA, "send multipart/form-data with the parts file and purpose")
    async with request.form(max_files=1, max_fields=4, max_part_size=1024) as form:
        if other := sorted(set(form) - {"file", "purpose"}):
            raise RefusalError(INVALID, "the form has parts file and purpose, and no other", param=other[0][:64])
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise RefusalError(INVALID, "the form needs a part `file` with a file name", param="file")
        if form.get("purpose", PURPOSE) != PURPOSE:
            raise RefusalError(INVALID, f"purpose must be {PURPOSE}", param="purpose")
        return FileView.of(await run_in_threadpool(_keep, parts, caller.owner, file))


@router.get("", response_model=ListOf[FileView])
def list_files(caller: Reader, parts: Given, after: After = None, limit: Limit = 20) -> dict[str, Any]:
    """Files, the newest first."""
    page = parts.store.files.list(owner=caller.sees, after=after, limit=limit)
    return page_of(map(FileView.of, page.rows), (file.id for file in page.rows), has_more=page.has_more)


@router.get("/{file_id}", response_model=FileView)
def get_file(file_id: FileId, caller: Reader, parts: Given) -> FileView:
    """What is known of a file."""
    return FileView.of(parts.store.files.get(file_id, owner=caller.sees))


@router.get("/{file_id}/content", response_class=Response, responses={200: _CONTENT})
def get_content(file_id: FileId, caller: Reader, parts: Given) -> Response:
    """The file itself."""
    content = parts.store.files.content(file_id, owner=caller.sees)
    headers = {"content-disposition": f'attachment; filename="{file_id}"'}
    return StreamingResponse(content, media_type="application/octet-stream", headers=headers)


@router.delete("/{file_id}", response_model=Deleted)
def delete_file(file_id: FileId, caller: Submitter, parts: Given) -> Deleted:
    """Remove a file that no job needs any more."""
    parts.store.files.delete(file_id, owner=caller.sees)
    return Deleted(id=file_id, object="file")


def _keep(parts: Parts, owner: str, upload: UploadFile) -> StoredFile:
    name, file = clean_name(upload.filename), upload.file
    size = file.seek(0, 2)
    file.seek(0)
    if size > parts.limits.file:
        raise RefusalError(TOO_LARGE, f"a file may have {parts.limits.file:,} bytes", param="file")
    if parts.store.files.bytes_of(owner) + size > parts.limits.files:
        raise QuotaError(f"files may have {parts.limits.files:,} bytes together; delete those that are not needed")
    checked = check_rows(file, name=name, limits=parts.limits)
    chunks = iter(lambda: file.read(_CHUNK), b"")
    return parts.store.files.create(
        owner, name=name, purpose=PURPOSE, format=checked.format, rows=checked.rows, content=chunks
    )
