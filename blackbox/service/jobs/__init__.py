"""What a job is: its statuses, and the reasons for which it ends."""

from blackbox.service.jobs.status import ENDED, HELD, TRANSITIONS, JobStatus, check_transition

__all__ = ["ENDED", "HELD", "TRANSITIONS", "JobStatus", "check_transition"]
