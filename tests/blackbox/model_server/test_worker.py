import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from blackbox.backends import FakeBackend, Query, QueryError, Scores, TextPrompt
from blackbox.backends.remote.answers import packed_scores, read_scores
from blackbox.model_server import worker as module
from blackbox.model_server.calls import OtherCall, ScoreCall
from blackbox.model_server.together import seams
from blackbox.model_server.worker import Job, Worker
from tests.blackbox.model_server.gated import GatedBackend

ROWS = (Query("A great day. It was ", ("bad", "great")),)
OTHER_ROWS = (Query("A bad day. It was ", ("bad", "great")),)


@pytest.fixture
def backend() -> GatedBackend:
    return GatedBackend()


@pytest.fixture
def worker(backend: GatedBackend) -> Iterator[Worker]:
    worker = Worker(backend, seams(backend, exact=True))
    worker.start()
    yield worker
    backend.gate.set()
    worker.stop()


def call(text: str, rows: tuple[Query, ...] = ROWS) -> ScoreCall:
    return ScoreCall([TextPrompt(text)], rows)


def occupied(worker: Worker, backend: GatedBackend) -> Job:
    """A job that the worker is busy with until the gate is open."""
    job = worker.submit(b"first", call("first", OTHER_ROWS))
    assert backend.begun.wait(20)
    return job


def answer(job: Job) -> Scores:
    return read_scores(job.answer.result(timeout=20), prompts=1, queries=1)


def test_one_thread_owns_the_model(worker: Worker, backend: GatedBackend) -> None:
    backend.gate.set()
    for number in range(5):
        worker.submit(b"%d" % number, call(f"{number}")).answer.result(timeout=20)
    assert len(backend.threads) == 1
    assert threading.get_ident() not in backend.threads


def test_calls_that_wait_on_the_same_rows_are_done_in_one(worker: Worker, backend: GatedBackend) -> None:
    occupied(worker, backend)
    jobs = [worker.submit(b"%d" % number, call(f"classify {number}")) for number in range(4)]
    alone = worker.submit(b"alone", call("alone", OTHER_ROWS))
    backend.gate.set()
    for number, job in enumerate(jobs):
        expected = FakeBackend().score([TextPrompt(f"classify {number}")], ROWS)
        assert job.answer.result(timeout=20) == packed_scores(expected)
    answer(alone)
    assert backend.asked == [(1, OTHER_ROWS), (4, ROWS), (1, OTHER_ROWS)]


def test_calls_that_are_just_arriving_are_waited_for_and_only_then(backend: GatedBackend) -> None:
    worker = Worker(backend, seams(backend, exact=True), wait_seconds=20)
    worker.start()
    backend.gate.set()
    answer(worker.submit(b"alone", call("alone")))  # nobody else comes: it does not wait for 20 s
    with worker.coming():
        first = worker.submit(b"first", call("first"))
        second = worker.submit(b"second", call("second"))
    answer(first)
    answer(second)
    assert [count for count, _ in backend.asked] == [1, 2]
    worker.stop()


def test_one_that_fails_does_not_fail_the_others() -> None:
    class Picky(FakeBackend):
        def score(self, prompts: object, queries: object) -> Scores:
            if any(prompt.text == "bad" for prompt in prompts):  # type: ignore[attr-defined]
                raise QueryError("row 0 is too long")
            return super().score(prompts, queries)  # type: ignore[arg-type]

    backend = Picky()
    worker = Worker(backend, seams(backend, exact=True), wait_seconds=20)
    worker.start()
    with worker.coming():
        jobs = [worker.submit(text.encode(), call(text)) for text in ("good", "bad", "fine")]
    answer(jobs[0])
    answer(jobs[2])
    with pytest.raises(QueryError, match="row 0 is too long"):
        answer(jobs[1])
    worker.stop()


def test_a_call_that_is_sent_again_joins_the_first_one(worker: Worker, backend: GatedBackend) -> None:
    job = occupied(worker, backend)
    assert worker.known(b"first") is job
    assert worker.submit(b"first", call("first", OTHER_ROWS)) is job
    backend.gate.set()
    answer(job)
    assert len(backend.asked) == 1


def test_an_answer_that_nobody_got_is_kept_for_who_asks_again(worker: Worker, backend: GatedBackend) -> None:
    job = occupied(worker, backend)
    worker.leave(job)
    backend.gate.set()
    content = job.answer.result(timeout=20)
    assert worker.known(b"first") == content
    assert len(backend.asked) == 1


def test_answers_are_kept_for_a_while_and_up_to_some_bytes(
    worker: Worker, backend: GatedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.gate.set()
    size = len(worker.submit(b"size", call("size")).answer.result(timeout=20))
    monkeypatch.setattr(module, "KEPT_BYTES", 2 * size)
    for key in (b"a", b"b", b"c"):
        answer(worker.submit(key, call(key.decode())))
    assert worker.known(b"a") is None
    assert isinstance(worker.known(b"c"), bytes)
    monkeypatch.setattr(module, "KEPT_SECONDS", 0.0)
    assert worker.known(b"c") is None


def test_a_call_that_nobody_waits_for_is_let_go_after_a_while(
    worker: Worker, backend: GatedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    occupied(worker, backend)
    left, back = worker.submit(b"left", call("left")), worker.submit(b"back", call("back"))
    worker.leave(left)
    worker.leave(back)
    time.sleep(0.1)
    assert worker.known(b"back") is back
    backend.gate.set()
    answer(back)
    assert worker.known(b"left") is None
    assert [count for count, _ in backend.asked] == [1, 1]


def test_an_error_is_not_kept(worker: Worker, backend: GatedBackend) -> None:
    def fail(backend: object) -> bytes:
        raise RuntimeError("once")

    with pytest.raises(RuntimeError, match="once"):
        worker.submit(b"key", OtherCall(fail)).answer.result(timeout=20)
    assert worker.known(b"key") is None


def test_it_ends_though_calls_wait(backend: GatedBackend) -> None:
    worker = Worker(backend, seams(backend, exact=True))
    worker.start()
    first = occupied(worker, backend)
    second = worker.submit(b"second", call("second"))
    stopping = threading.Thread(target=worker.stop)
    stopping.start()
    time.sleep(0.05)
    backend.gate.set()
    stopping.join(timeout=20)
    assert not stopping.is_alive()
    answer(first)
    assert isinstance(second.answer, Future)
    assert not second.answer.done()
