"""Jobs as their owners see them, on SQLite and on PostgreSQL."""

import pytest

from blackbox.service.errors import KeyConflictError, MissingError, QuotaError, StatusError
from blackbox.service.jobs import JobStatus
from blackbox.service.store import JobBudget, Quotas, Store
from tests.blackbox.service.store.making import OVER, claim, generation, new_job, running, types


class TestCreating:
    def test_a_new_job_waits_with_what_was_handed_in(self, store: Store) -> None:
        request = {"backend": "fake", "settings": {"prompt": "naïve \x00 \ud800 文"}}
        job = new_job(store, request=request, metadata={"team": "a"}, budget=JobBudget(7, 1.5))
        assert (job.status, job.request, job.metadata) == (JobStatus.QUEUED, request, {"team": "a"})
        assert job.budget == JobBudget(7, 1.5)
        assert job == store.jobs.get(job.id, owner="local")
        assert types(store, job.id) == ["created"]

    def test_the_same_key_and_request_give_the_same_job(self, store: Store) -> None:
        first = new_job(store, idempotency_key="k")
        again, is_new = store.jobs.create(
            "local", {"backend": "fake"}, backend="fake", budget=JobBudget(100), idempotency_key="k"
        )
        assert (again.id, is_new) == (first.id, False)
        assert len(store.jobs.list(owner=None).rows) == 1

    def test_the_same_key_with_another_request_is_refused(self, store: Store) -> None:
        new_job(store, idempotency_key="k")
        with pytest.raises(KeyConflictError, match="came with another request"):
            new_job(store, idempotency_key="k", request={"backend": "other"})
        with pytest.raises(KeyConflictError):
            new_job(store, idempotency_key="k", metadata={"team": "b"})

    def test_a_key_is_its_owners_own(self, store: Store) -> None:
        assert new_job(store, "a", idempotency_key="k").id != new_job(store, "b", idempotency_key="k").id

    def test_a_file_must_be_there_and_the_owners(self, store: Store) -> None:
        file = store.files.create("a", name="f", purpose="tuning", format="csv", rows=1, content=[b"x"])
        new_job(store, "a", files=[file.id])
        for owner, name in (("b", file.id), ("a", "file-none")):
            with pytest.raises(MissingError, match="there is no file"):
                new_job(store, owner, files=[name])


class TestQuotas:
    def test_jobs_at_once_are_limited_until_one_ends(self, store: Store) -> None:
        token, _ = store.tokens.create("t", "submit", quotas=Quotas(jobs=1))
        first = new_job(store, token.id)
        with pytest.raises(QuotaError, match="'jobs': 1 of 1"):
            new_job(store, token.id)
        store.jobs.cancel(first.id, owner=token.id)
        new_job(store, token.id)

    def test_budgets_of_jobs_that_have_not_ended_are_set_aside(self, store: Store) -> None:
        token, _ = store.tokens.create("t", "submit", quotas=Quotas(evaluations=250, usd=2.0))
        new_job(store, token.id, budget=JobBudget(200, 1.0))
        with pytest.raises(QuotaError, match="'evaluations'"):
            new_job(store, token.id, budget=JobBudget(51, 0.1))
        with pytest.raises(QuotaError, match="'usd'"):
            new_job(store, token.id, budget=JobBudget(50, 1.1))
        new_job(store, token.id, budget=JobBudget(50, 1.0))

    def test_what_a_job_did_not_use_is_free_again_when_it_has_ended(self, store: Store) -> None:
        token, _ = store.tokens.create("t", "submit", quotas=Quotas(evaluations=100))
        lease = running(store, token.id, budget=JobBudget(100))
        store.leases.mirror(lease, generation(1, lines=["{}"] * 30, usd=0.25))
        store.leases.cancel(lease)
        assert store.tokens.get(token.id).used_evaluations == 30
        assert store.tokens.get(token.id).used_usd == 0.25
        with pytest.raises(QuotaError):
            new_job(store, token.id, budget=JobBudget(71))
        new_job(store, token.id, budget=JobBudget(70))

    def test_a_deleted_job_stays_in_the_account(self, store: Store) -> None:
        token, _ = store.tokens.create("t", "submit")
        lease = running(store, token.id)
        store.leases.mirror(lease, generation(1))
        store.leases.cancel(lease)
        store.jobs.delete(lease.job, owner=token.id)
        assert store.tokens.get(token.id).used_evaluations == 1


class TestReading:
    def test_another_owners_job_is_as_good_as_none(self, store: Store) -> None:
        job = new_job(store, "a").id
        for call in (store.jobs.get, store.jobs.pause, store.jobs.resume, store.jobs.cancel, store.jobs.delete):
            with pytest.raises(MissingError, match="there is no job"):
                call(job, owner="b")
        assert store.jobs.list(owner="b").rows == ()
        assert store.jobs.get(job, owner=None).owner == "a"

    @pytest.mark.parametrize("name", ["", "job-none", "\x00", "\ud800", "x" * 10_000, "' OR 1=1 --"])
    def test_an_id_that_there_is_not_is_missing_whatever_it_is(self, store: Store, name: str) -> None:
        with pytest.raises(MissingError):
            store.jobs.get(name, owner=None)

    def test_pages_hold_each_job_once_the_newest_first(self, store: Store) -> None:
        made = [new_job(store).id for _ in range(7)]
        page = store.jobs.list(owner="local", limit=3)
        seen = [job.id for job in page.rows]
        while page.has_more:
            page = store.jobs.list(owner="local", after=seen[-1], limit=3)
            seen += [job.id for job in page.rows]
        assert seen == made[::-1]

    def test_a_page_that_ends_with_the_last_job_has_no_more(self, store: Store) -> None:
        for _ in range(3):
            new_job(store)
        assert not store.jobs.list(owner=None, limit=3).has_more
        assert store.jobs.list(owner=None, limit=2).has_more

    def test_a_list_can_be_of_some_statuses(self, store: Store) -> None:
        queued, paused, cancelled = (new_job(store).id for _ in range(3))
        store.jobs.pause(paused, owner=None)
        store.jobs.cancel(cancelled, owner=None)

        def listed(*statuses: JobStatus, limit: int = 10) -> list[str]:
            return [job.id for job in store.jobs.list(owner="local", statuses=statuses, limit=limit).rows]

        assert listed(JobStatus.PAUSED) == [paused]
        assert listed(JobStatus.QUEUED, JobStatus.CANCELLED) == [cancelled, queued]
        assert listed(JobStatus.QUEUED, JobStatus.CANCELLED, limit=1) == [cancelled]
        assert listed(JobStatus.FAILED, JobStatus.SUCCEEDED) == []

    def test_a_list_can_be_of_jobs_with_some_metadata(self, store: Store) -> None:
        both = new_job(store, "a", metadata={"team": "x", "task": "y"}).id
        one = new_job(store, "a", metadata={"team": "x"}).id
        new_job(store, "b", metadata={"team": "x"})
        assert [job.id for job in store.jobs.list(owner="a", metadata={"team": "x"}).rows] == [one, both]
        assert [job.id for job in store.jobs.list(owner="a", metadata={"team": "x", "task": "y"}).rows] == [both]
        assert len(store.jobs.list(owner=None, metadata={"team": "x"}).rows) == 3
        assert [job.id for job in store.jobs.list(owner="a", metadata={"team": "x"}, after=one).rows] == [both]
        waiting = store.jobs.list(owner="a", metadata={"team": "x"}, statuses=[JobStatus.QUEUED, JobStatus.FAILED])
        assert len(waiting.rows) == 2

    def test_counts_name_every_status(self, store: Store) -> None:
        new_job(store)
        counts = store.jobs.counts()
        assert set(counts) == set(JobStatus)
        assert counts[JobStatus.QUEUED] == 1
        assert sum(counts.values()) == 1


class TestWishes:
    def test_a_waiting_job_is_paused_at_once_and_resumed(self, store: Store) -> None:
        job = new_job(store).id
        assert store.jobs.pause(job, owner=None).status == JobStatus.PAUSED
        assert store.leases.claim("w", seconds=9) is None
        assert store.jobs.pause(job, owner=None).status == JobStatus.PAUSED
        assert store.jobs.resume(job, owner=None).status == JobStatus.QUEUED
        assert store.jobs.resume(job, owner=None).status == JobStatus.QUEUED
        assert types(store, job) == ["created", "paused", "resumed"]

    def test_a_running_job_is_paused_by_its_worker(self, store: Store) -> None:
        lease = running(store)
        assert store.jobs.pause(lease.job, owner=None).status == JobStatus.PAUSING
        with pytest.raises(StatusError, match="is pausing and cannot be resumed"):
            store.jobs.resume(lease.job, owner=None)
        store.leases.pause(lease)
        job = store.jobs.get(lease.job, owner=None)
        assert (job.status, job.worker) == (JobStatus.PAUSED, None)

    def test_a_running_job_is_cancelled_by_its_worker(self, store: Store) -> None:
        lease = running(store)
        assert store.jobs.cancel(lease.job, owner=None).status == JobStatus.CANCELLING
        with pytest.raises(StatusError):
            store.jobs.pause(lease.job, owner=None)
        store.leases.cancel(lease)
        job = store.jobs.get(lease.job, owner=None)
        assert (job.status, job.stop_reason) == (JobStatus.CANCELLED, "cancelled")
        assert job.ended_at is not None
        assert store.jobs.cancel(lease.job, owner=None) == job

    def test_a_job_whose_worker_is_lost_waits_for_none_to_be_paused_or_cancelled(self, store: Store) -> None:
        new_job(store)
        new_job(store)
        paused, cancelled = claim(store, "w1"), claim(store, "w2")
        for lease in (paused, cancelled):
            store.leases.extend(lease, seconds=OVER)
        assert store.jobs.pause(paused.job, owner=None).status == JobStatus.PAUSED
        assert store.jobs.cancel(cancelled.job, owner=None).status == JobStatus.CANCELLED

    def test_an_ended_job_can_be_neither_paused_nor_resumed_nor_cancelled(self, store: Store) -> None:
        lease = running(store)
        store.leases.fail(lease, "error", "broken")
        for call in (store.jobs.pause, store.jobs.resume, store.jobs.cancel):
            with pytest.raises(StatusError, match="is failed and cannot be"):
                call(lease.job, owner=None)

    def test_only_an_ended_job_is_deleted_with_all_that_is_its_own(self, store: Store) -> None:
        file = store.files.create("local", name="f", purpose="tuning", format="csv", rows=1, content=[b"x"])
        lease = running(store, files=[file.id], metadata={"a": "b"})
        store.leases.mirror(lease, generation(1))
        with pytest.raises(StatusError, match="must have ended"):
            store.jobs.delete(lease.job, owner=None)
        store.leases.cancel(lease)
        store.jobs.delete(lease.job, owner=None)
        assert store.jobs.list(owner=None).rows == ()
        assert store.events.list(lease.job).rows == ()
        assert store.evaluations.list(lease.job).rows == ()
        assert store.jobs.list(owner=None, metadata={"a": "b"}).rows == ()
        assert store.files.get(file.id, owner="local") == file
