"""A page of jobs is found by indexes, whatever is asked for."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from blackbox.service.jobs import JobStatus
from blackbox.service.store.job_list import listed
from blackbox.service.store.job_rows import J, select_jobs
from blackbox.service.store.schema import open_database

_S = JobStatus


@pytest.mark.parametrize("owner", [None, "a"])
@pytest.mark.parametrize("after", [None, "job-1"])
@pytest.mark.parametrize("statuses", [[], [_S.FAILED], [_S.FAILED, _S.CANCELLED]])
@pytest.mark.parametrize("metadata", [{}, {"team": "a"}, {"team": "a", "kind": "b"}])
def test_no_page_looks_at_all_jobs(
    tmp_path: Path, owner: str | None, after: str | None, statuses: list[JobStatus], metadata: Mapping[str, str]
) -> None:
    ids = listed(owner=owner, after=after, limit=20, statuses=statuses, metadata=metadata)
    page = select_jobs().where(J.id.in_(ids)).order_by(J.id.desc())
    statement = page.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    database = open_database(f"sqlite:///{tmp_path / 'service.db'}")
    with database.read() as connection:
        plan = [row[-1] for row in connection.execute(sa.text(f"EXPLAIN QUERY PLAN {statement}"))]
    database.close()
    assert not [step for step in plan if "CORRELATED" in step], plan
    scans = [step for step in plan if step.startswith(("SCAN jobs", "SCAN m"))]
    newest_of_all = not (owner or after or statuses or metadata)
    assert scans == (["SCAN jobs USING COVERING INDEX sqlite_autoindex_jobs_1"] if newest_of_all else []), plan
