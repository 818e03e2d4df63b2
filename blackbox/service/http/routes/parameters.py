"""Parameters that several routes have."""

from typing import Annotated

from fastapi import Path, Query

from blackbox.service.http.job_body import ID

JobId = Annotated[str, Path(pattern=ID, description="Of the job.", examples=["job-0193f2a5c1d87b3e"])]
FileId = Annotated[str, Path(pattern=ID, description="Of the file.", examples=["file-0193f2a4a7c01f55"])]
Limit = Annotated[int, Query(ge=1, le=100, description="Of one page.")]
After = Annotated[str | None, Query(pattern=ID, description="`last_id` of the page before.")]
Number = Annotated[int, Query(ge=-1, le=2**31 - 1, description="What stands behind this one: `last_id`.")]
