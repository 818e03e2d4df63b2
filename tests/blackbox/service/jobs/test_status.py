"""The ways between the statuses of a job."""

import pytest

from blackbox.service.errors import StatusError
from blackbox.service.jobs import ENDED, HELD, TRANSITIONS, JobStatus, check_transition


def test_every_status_says_where_it_leads() -> None:
    assert set(TRANSITIONS) == set(JobStatus)


def test_an_ended_job_stays_as_it_is_and_all_others_can_end() -> None:
    for status, ways in TRANSITIONS.items():
        assert bool(ways) == (status not in ENDED)
        reached = {status}
        while more := {after for before in reached for after in TRANSITIONS[before]} - reached:
            reached |= more
        assert JobStatus.CANCELLED in reached or status in ENDED


def test_every_status_can_be_reached_from_the_queue() -> None:
    reached = {JobStatus.QUEUED}
    while more := {after for before in reached for after in TRANSITIONS[before]} - reached:
        reached |= more
    assert reached == set(JobStatus)


def test_a_job_that_a_worker_has_can_be_left_paused_cancelled_or_failed() -> None:
    for status in HELD:
        assert {JobStatus.CANCELLED, JobStatus.FAILED} <= TRANSITIONS[status]


@pytest.mark.parametrize(
    ("before", "after"),
    [(JobStatus.SUCCEEDED, JobStatus.PAUSED), (JobStatus.PAUSED, JobStatus.RUNNING), (JobStatus.CANCELLING, "paused")],
)
def test_a_way_that_there_is_not_is_refused_in_one_line(before: JobStatus, after: JobStatus) -> None:
    with pytest.raises(StatusError, match=f"^job job-1 is {before} and cannot go there$"):
        check_transition("job-1", before, after, asked="go there")
