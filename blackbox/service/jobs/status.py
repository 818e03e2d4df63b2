"""The statuses of a job and the ways between them.

queued -> validating -> running -> succeeded | failed
validating, running -> pausing -> paused -> queued (resumed)
validating, running, pausing -> cancelling -> cancelled
queued, paused -> cancelled; queued -> paused
validating, running -> queued (handed back by a worker that is told to end)

A job that ends before a pause or a cancellation takes effect has ended all the same.
"""

from enum import StrEnum

from blackbox.service.errors import StatusError


class JobStatus(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    VALIDATING = "validating"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


_S = JobStatus
ENDED = frozenset({_S.SUCCEEDED, _S.FAILED, _S.CANCELLED})
GOING = frozenset(_S) - ENDED
HELD = frozenset({_S.VALIDATING, _S.RUNNING, _S.PAUSING, _S.CANCELLING})
"""Statuses in which a worker has the job, by a lease."""

TRANSITIONS: dict[JobStatus, frozenset[JobStatus]] = {
    _S.QUEUED: frozenset({_S.VALIDATING, _S.PAUSED, _S.CANCELLED, _S.FAILED}),
    _S.VALIDATING: frozenset({_S.RUNNING, _S.QUEUED, _S.PAUSING, _S.PAUSED, _S.CANCELLING, _S.CANCELLED, _S.FAILED}),
    _S.RUNNING: frozenset(
        {_S.VALIDATING, _S.QUEUED, _S.PAUSING, _S.PAUSED, _S.CANCELLING, _S.CANCELLED, _S.SUCCEEDED, _S.FAILED}
    ),
    _S.PAUSING: frozenset({_S.PAUSED, _S.CANCELLING, _S.CANCELLED, _S.SUCCEEDED, _S.FAILED}),
    _S.PAUSED: frozenset({_S.QUEUED, _S.CANCELLED}),
    _S.CANCELLING: frozenset({_S.CANCELLED, _S.SUCCEEDED, _S.FAILED}),
    _S.CANCELLED: frozenset(),
    _S.SUCCEEDED: frozenset(),
    _S.FAILED: frozenset(),
}


def check_transition(job: str, before: JobStatus, after: JobStatus, *, asked: str) -> None:
    """Refuse a way that there is not; `asked` is what shall be done: "be paused".

    Raises:
        StatusError: there is no way from one status to the other.
    """
    if after not in TRANSITIONS[before]:
        raise StatusError(f"job {job} is {before} and cannot {asked}")
