"""Whether an owner may hand in another job."""

from typing import Any

import sqlalchemy as sa

from blackbox.service.errors import QuotaError
from blackbox.service.jobs.status import GOING
from blackbox.service.store import tables
from blackbox.service.store.job_rows import J
from blackbox.service.store.rows import JobBudget

_T = tables.tokens.c


def check_quotas(connection: sa.Connection, owner: str, budget: JobBudget) -> None:
    """Refuse a job that would go beyond its owner's quotas. What jobs that have not ended may still use counts.

    Raises:
        QuotaError: it would; the text names the quota.
    """
    token = connection.execute(sa.select(tables.tokens).where(_T.id == owner)).one_or_none()
    if token is None:
        return
    going = connection.execute(
        sa.select(
            sa.func.count().label("jobs"),
            sa.func.coalesce(sa.func.sum(_left(J.budget_evaluations, J.evaluations)), 0).label("evaluations"),
            sa.func.coalesce(sa.func.sum(_left(J.budget_usd, J.usd)), 0).label("usd"),
        ).where(J.owner == owner, J.status.in_(GOING))
    ).one()
    if token.quota_jobs is not None and going.jobs >= token.quota_jobs:
        raise QuotaError(f"quota 'jobs': {going.jobs} of {token.quota_jobs} have not ended; wait for one, or cancel it")
    if token.quota_evaluations is not None:
        used = token.used_evaluations + int(going.evaluations)
        _check("evaluations", token.quota_evaluations, used, budget.evaluations)
    if token.quota_usd is not None and budget.usd is not None:
        _check("usd", token.quota_usd, token.used_usd + float(going.usd), budget.usd)


def _check(name: str, quota: float, used: float, asked: float) -> None:
    if used + asked > quota:
        raise QuotaError(
            f"quota {name!r}: {used:g} of {quota:g} are used or set aside for jobs that have not ended, this one asks "
            f"for {asked:g}"
        )


def _left(budget: sa.Column[Any], spent: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Of a job's budget; 0 where it has none, or is beyond it."""
    return sa.case((budget > spent, budget - spent), else_=0)
