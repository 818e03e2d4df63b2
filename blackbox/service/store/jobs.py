"""Jobs, as those see them that hand them in. What workers do with them is in `leases`."""

from collections.abc import Collection, Mapping
from typing import Any

from blackbox.service.jobs.status import JobStatus
from blackbox.service.store.database import Database
from blackbox.service.store.rows import Job, JobBudget, Page


class Jobs:
    """See the module. `owner` None means anybody's jobs, where a method does not say otherwise."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        owner: str,
        request: Mapping[str, Any],
        *,
        backend: str,
        budget: JobBudget,
        files: Collection[str] = (),
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> tuple[Job, bool]:
        """Put a job into the queue; its first event is "created".

        Args:
            owner: whose job and quotas; no token's id means no quotas.
            request: JSON values.
            backend: the operator's name of the model.
            budget: counts against the owner's quotas until the job has ended.
            files: ids of the owner's files that it reads.
            metadata: the owner's own; keys up to 64, values up to 512 characters.
            idempotency_key: up to 255 characters; the same key, request and metadata of the same owner give the same
                job.

        Returns:
            The job, and whether it is new.

        Raises:
            KeyConflictError: the key came with another request before.
            QuotaError: the owner's quotas do not allow it; the text names the quota.
            MissingError: a file is not there, or another owner's.
        """
        raise NotImplementedError

    def get(self, job: str, *, owner: str | None) -> Job:
        """A job.

        Raises:
            MissingError: there is none, or it is another owner's.
        """
        raise NotImplementedError

    def list(
        self,
        *,
        owner: str | None,
        after: str | None = None,
        limit: int = 20,
        statuses: Collection[JobStatus] = (),
        metadata: Mapping[str, str] | None = None,
    ) -> Page[Job]:
        """Jobs, the newest first, behind the job `after` (whether there is one of this id or not).

        Args:
            statuses: one of these; none: any.
            metadata: all of these keys with these values.
        """
        raise NotImplementedError

    def pause(self, job: str, *, owner: str | None) -> Job:
        """Ask for a pause: of a queued job at once, of a running one behind its present generation. Again, no change.

        Raises:
            MissingError: there is none. StatusError: it has ended, or is being cancelled.
        """
        raise NotImplementedError

    def resume(self, job: str, *, owner: str | None) -> Job:
        """Put a paused job back into the queue. One that is queued or running stays so.

        Raises:
            MissingError: there is none. StatusError: it is not paused yet, is being cancelled, or has ended.
        """
        raise NotImplementedError

    def cancel(self, job: str, *, owner: str | None) -> Job:
        """Ask for the end: of a queued or paused job at once, of a running one behind its present generation.

        Of one that is cancelled or being cancelled nothing changes.

        Raises:
            MissingError: there is none. StatusError: it has ended otherwise.
        """
        raise NotImplementedError

    def delete(self, job: str, *, owner: str | None) -> None:
        """Remove a job that has ended, with all that belongs to it but its files of task data.

        Raises:
            MissingError: there is none. StatusError: it has not ended.
        """
        raise NotImplementedError

    def counts(self) -> dict[JobStatus, int]:
        """How many jobs there are in each status, those without one included."""
        raise NotImplementedError
