"""What workers do with jobs, on SQLite and on PostgreSQL."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from blackbox.service.errors import LostLeaseError
from blackbox.service.jobs import JobStatus
from blackbox.service.store import Store, open_store
from blackbox.service.store.lease import Lease, Wish
from tests.blackbox.service.store.making import OVER, SECONDS, claim, generation, new_job, running, selected, types


class TestClaiming:
    def test_the_oldest_job_is_claimed_first_and_each_once(self, store: Store) -> None:
        made = [new_job(store).id for _ in range(3)]
        assert [claim(store, f"w{number}").job for number in range(3)] == made
        assert store.leases.claim("w", seconds=SECONDS) is None

    def test_a_claimed_job_says_who_has_it(self, store: Store) -> None:
        new_job(store)
        job, lease = store.leases.claim("host:1", seconds=SECONDS) or pytest.fail("there is a job")
        assert (job.status, job.worker, lease.epoch) == (JobStatus.VALIDATING, "host:1", 1)
        assert job.started_at is not None
        store.leases.begin(lease)
        store.leases.begin(lease)
        assert types(store, job.id) == ["created", "validating", "running"]

    def test_workers_that_claim_at_the_same_time_get_different_jobs(self, store: Store, database_url: str) -> None:
        made = {new_job(store).id for _ in range(24)}

        def work(name: str) -> list[str]:
            with open_store(database_url) as own:
                found = []
                while claimed := own.leases.claim(name, seconds=SECONDS):
                    found.append(claimed[1].job)
            return found

        with ThreadPoolExecutor(4) as pool:
            claimed = Counter(job for jobs in pool.map(work, "abcd") for job in jobs)
        assert claimed == Counter(made)


class TestTakingOver:
    def test_a_lease_that_is_extended_is_not_taken_over(self, store: Store) -> None:
        lease = running(store)
        store.leases.extend(lease, seconds=OVER)
        store.leases.extend(lease, seconds=SECONDS)
        assert store.leases.claim("w2", seconds=SECONDS) is None

    def test_a_lost_job_is_taken_over_with_an_event_that_says_from_where(self, store: Store) -> None:
        lease = running(store)
        store.leases.mirror(lease, generation(1))
        store.leases.extend(lease, seconds=OVER)
        job, again = store.leases.claim("w2", seconds=SECONDS) or pytest.fail("there is a job")
        assert (again.job, again.epoch, job.take_overs, job.progress.entries) == (lease.job, 2, 1, 1)
        assert types(store, job.id)[-2:] == ["taken_over", "validating"]
        [event] = [event for event in store.events.list(job.id).rows if event.type == "taken_over"]
        assert event.data == {"generation": 1, "evaluations": 1, "worker": "w2", "lost": "w1"}

    def test_a_worker_that_lost_its_lease_writes_nothing_more(self, store: Store) -> None:
        lease = running(store)
        store.leases.extend(lease, seconds=OVER)
        claim(store, "w2")
        before = store.jobs.get(lease.job, owner=None)
        for call in (store.leases.begin, store.leases.hand_back, store.leases.pause, store.leases.cancel):
            with pytest.raises(LostLeaseError, match="no longer worker w1's"):
                call(lease)
        for write in (
            lambda: store.leases.extend(lease, seconds=SECONDS),
            lambda: store.leases.mirror(lease, generation(1)),
            lambda: store.leases.fail(lease, "error", "late"),
            lambda: store.leases.succeed(lease, "evaluations", generation(1), summary={}),
        ):
            with pytest.raises(LostLeaseError):
                write()
        assert store.jobs.get(lease.job, owner=None) == before
        assert store.evaluations.list(lease.job).rows == ()

    def test_a_lease_that_ran_out_is_good_until_somebody_else_has_the_job(self, store: Store) -> None:
        lease = running(store)
        store.leases.extend(lease, seconds=OVER)
        store.leases.mirror(lease, generation(1))
        assert store.jobs.get(lease.job, owner=None).progress.generation == 1

    def test_the_same_worker_after_it_lost_the_job_and_got_it_back_needs_the_new_lease(self, store: Store) -> None:
        lease = running(store)
        store.leases.extend(lease, seconds=OVER)
        again = claim(store, lease.worker)
        with pytest.raises(LostLeaseError):
            store.leases.extend(lease, seconds=SECONDS)
        assert store.leases.extend(again, seconds=SECONDS) is Wish.GO_ON

    @pytest.mark.parametrize(("wish", "status"), [("pause", JobStatus.PAUSED), ("cancel", JobStatus.CANCELLED)])
    def test_a_wish_of_a_lost_job_is_granted_without_a_worker(self, store: Store, wish: str, status: JobStatus) -> None:
        lease = running(store)
        getattr(store.jobs, wish)(lease.job, owner=None)
        store.leases.extend(lease, seconds=OVER)
        assert store.leases.claim("w2", seconds=SECONDS) is None
        assert store.jobs.get(lease.job, owner=None).status == status

    def test_a_job_that_loses_one_worker_after_the_other_has_failed(self, store: Store) -> None:
        lease = running(store)
        for number in range(2, 7):
            store.leases.extend(lease, seconds=OVER)
            lease = claim(store, f"w{number}")
        store.leases.extend(lease, seconds=OVER)
        assert store.leases.claim("w7", seconds=SECONDS) is None
        job = store.jobs.get(lease.job, owner=None)
        assert (job.status, job.stop_reason, job.take_overs) == (JobStatus.FAILED, "worker_lost", 5)
        assert "6 workers in a row ended without getting further than generation 0" in str(job.error)

    def test_progress_forgives_lost_workers(self, store: Store) -> None:
        lease = running(store)
        for number in range(2, 8):
            store.leases.mirror(lease, generation(number - 1, first=number - 2))
            store.leases.extend(lease, seconds=OVER)
            lease = claim(store, f"w{number}")
        assert store.jobs.get(lease.job, owner=None).take_overs == 6

    def test_a_deleted_job_is_nobodys(self, store: Store) -> None:
        lease = running(store)
        store.leases.cancel(lease)
        store.jobs.delete(lease.job, owner=None)
        with pytest.raises(LostLeaseError, match="has been deleted"):
            store.leases.extend(lease, seconds=SECONDS)


class TestMirroring:
    def test_what_a_generation_found_stands_in_the_job(self, store: Store) -> None:
        lease = running(store)
        new = generation(1, lines=['{"loss": Infinity}', "{}"], train_loss=0.5, dev={"value": 1.0}, usd=0.1)
        assert store.leases.mirror(lease, new) is Wish.GO_ON
        assert store.jobs.get(lease.job, owner=None).progress == new.progress
        assert [row.line for row in store.evaluations.list(lease.job).rows] == ['{"loss": Infinity}', "{}"]
        assert types(store, lease.job)[-1] == "generation"

    def test_written_twice_it_stands_there_once(self, store: Store) -> None:
        lease = running(store)
        for _ in range(2):
            store.leases.mirror(lease, generation(1, lines=["a", "b"]))
        assert [row.line for row in store.evaluations.list(lease.job).rows] == ["a", "b"]
        assert types(store, lease.job).count("generation") == 1

    def test_a_run_that_comes_by_known_generations_again_adds_nothing(self, store: Store) -> None:
        lease = running(store)
        store.leases.mirror(lease, generation(3, lines=["a", "b", "c"]))
        store.leases.extend(lease, seconds=OVER)
        again = claim(store, "w2")
        known = store.jobs.get(lease.job, owner=None).progress
        store.leases.mirror(again, generation(1, first=3, lines=[], evaluations=1))
        store.leases.mirror(again, generation(2, first=3, lines=[], evaluations=2))
        assert store.jobs.get(lease.job, owner=None).progress == known
        store.leases.mirror(again, generation(4, first=3, lines=["d"]))
        assert types(store, lease.job).count("generation") == 2
        assert [row.line for row in store.evaluations.list(lease.job).rows] == ["a", "b", "c", "d"]

    def test_checkpoints_are_the_generations_that_selected_another_prompt(self, store: Store) -> None:
        lease = running(store)
        for number, checksum in enumerate(["a", "a", "b", "b"], start=1):
            new = generation(number, first=number - 1)
            store.leases.mirror(lease, type(new)(**{**vars(new), "selected": selected(checksum)}))
        checkpoints = store.evaluations.checkpoints(lease.job).rows
        assert [(row.generation, row.prompt) for row in checkpoints] == [(1, "text of a"), (3, "text of b")]
        events = [event for event in store.events.list(lease.job).rows if event.type == "generation"]
        assert [event.data["selected"] for event in events] == [True, False, True, False]

    def test_artifacts_are_replaced_and_removed(self, store: Store) -> None:
        lease = running(store)
        contents: list[dict[str, bytes | None]] = [{"a": b"1", "b/c": b"\x00" * 3_000_000}, {"a": b"2", "b/c": None}]
        for number, artifacts in enumerate(contents, start=1):
            new = generation(number, first=number - 1)
            store.leases.mirror(lease, type(new)(**{**vars(new), "artifacts": artifacts}))
        [artifact] = store.artifacts.list(lease.job)
        assert (artifact.name, artifact.size, store.artifacts.read(lease.job, "a")) == ("a", 1, b"2")

    def test_a_worker_learns_what_the_owner_asks_for(self, store: Store) -> None:
        lease = running(store)
        store.jobs.pause(lease.job, owner=None)
        assert store.leases.mirror(lease, generation(1)) is Wish.PAUSE
        store.jobs.cancel(lease.job, owner=None)
        assert store.leases.extend(lease, seconds=SECONDS) is Wish.CANCEL


class TestEnding:
    def test_a_job_that_succeeds_has_its_last_evaluations_and_summary(self, store: Store) -> None:
        lease = running(store)
        store.leases.mirror(lease, generation(1))
        store.leases.succeed(lease, "target", generation(1, first=1), summary={"usd": 0.0, "train_loss": None})
        job = store.jobs.get(lease.job, owner=None)
        assert (job.status, job.stop_reason, job.worker) == (JobStatus.SUCCEEDED, "target", None)
        assert (job.progress.entries, job.summary) == (2, {"usd": 0.0, "train_loss": None})
        assert types(store, job.id)[-2:] == ["generation", "succeeded"]

    @pytest.mark.parametrize("wish", ["pause", "cancel"])
    def test_a_job_that_ends_before_a_wish_takes_effect_has_ended(self, store: Store, wish: str) -> None:
        lease = running(store)
        getattr(store.jobs, wish)(lease.job, owner=None)
        store.leases.succeed(lease, "evaluations", generation(1), summary={})
        assert store.jobs.get(lease.job, owner=None).status == JobStatus.SUCCEEDED

    def test_a_failed_job_says_why(self, store: Store) -> None:
        lease = running(store)
        store.leases.fail(lease, "invalid", "no rows\x00")
        job = store.jobs.get(lease.job, owner=None)
        assert (job.status, job.stop_reason, job.error) == (JobStatus.FAILED, "invalid", "no rows\ufffd")

    def test_a_job_that_is_handed_back_is_another_workers_next(self, store: Store) -> None:
        lease = running(store)
        store.leases.mirror(lease, generation(1))
        store.leases.hand_back(lease)
        again = claim(store, "w2")
        assert again == Lease(lease.job, "w2", 2)
        assert store.jobs.get(lease.job, owner=None).take_overs == 0
        assert types(store, lease.job)[-2:] == ["handed_back", "validating"]

    @pytest.mark.parametrize(("wish", "status"), [("pause", JobStatus.PAUSED), ("cancel", JobStatus.CANCELLED)])
    def test_a_job_that_is_handed_back_is_what_its_owner_asked_for(
        self, store: Store, wish: str, status: JobStatus
    ) -> None:
        lease = running(store)
        getattr(store.jobs, wish)(lease.job, owner=None)
        store.leases.hand_back(lease)
        assert store.jobs.get(lease.job, owner=None).status == status

    def test_a_pause_that_was_overtaken_by_a_cancellation_is_one(self, store: Store) -> None:
        lease = running(store)
        store.jobs.pause(lease.job, owner=None)
        store.jobs.cancel(lease.job, owner=None)
        store.leases.pause(lease)
        assert store.jobs.get(lease.job, owner=None).status == JobStatus.CANCELLED
