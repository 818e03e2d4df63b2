import math
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackbox.backends import JournalError, Usage
from blackbox.backends.api import journal_file
from blackbox.backends.api.answer import Answer, Call
from blackbox.backends.api.answers import Answers, Facts, Spending, key_of
from blackbox.backends.errors import GarbageError

ENDPOINT = "https://api.example.com/v1"
CALL = Call("/chat/completions", {"model": "small", "temperature": 0, "messages": [{"content": "Hi."}]}, Usage())
COST = Usage(requests=1, prompt_tokens=30, completion_tokens=2, cached_tokens=10, seconds=0.25, usd=0.001)
ANSWER = Answer("positive", "stop", ({"positive": -0.1, " Positive": -2.5, "é\ud83d": -9999.0},), COST, "fp_1")
TASK = Facts("task", candidate="c1", split="train")


def key(number: int) -> str:
    return key_of(replace(CALL, repeat=number), endpoint=ENDPOINT)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.db"


def test_an_answer_is_found_as_it_was_put(path: Path) -> None:
    with Answers(path) as answers:
        assert answers.find(key(0)) is None
        assert answers.put(key(0), ANSWER, facts=TASK) == ANSWER
        assert answers.find(key(0)) == ANSWER
    with Answers(path) as answers:
        assert answers.find(key(0)) == ANSWER


USAGES = st.builds(
    Usage,
    **{field.name: st.integers(0, 2**40) for field in fields(Usage)[:4]},
    seconds=st.floats(0, 1e6),
    usd=st.floats(0, 1e6),
)
TOPS = st.dictionaries(st.text(), st.floats(max_value=0.0, allow_nan=False), max_size=4)


@given(
    st.builds(
        Answer, st.text(), st.text(), st.lists(TOPS, max_size=3).map(tuple), USAGES, st.none() | st.text(max_size=4)
    )
)
def test_any_answer_is_found_as_it_was_put_even_with_tokens_of_probability_zero(answer: Answer) -> None:
    with Answers(None) as answers:
        answers.put(key(0), answer, facts=TASK)
        assert answers.find(key(0)) == answer


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_log_probability_that_is_no_number_is_refused_and_nothing_is_written(value: float) -> None:
    with Answers(None) as answers:
        with pytest.raises(GarbageError, match=f"must be a number below infinity, got {value}"):
            answers.put(key(0), replace(ANSWER, tops=({"positive": value},)), facts=TASK)
        assert answers.find(key(0)) is None
        assert answers.spent() == Usage()


def test_a_token_of_probability_zero_is_stored_as_json_that_every_reader_knows(path: Path) -> None:
    with Answers(path) as answers:
        answers.put(key(0), replace(ANSWER, tops=({"no": -math.inf},)), facts=TASK)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT json_type(answer, '$.tops[0].no') FROM calls").fetchall() == [("null",)]
    connection.close()


def test_the_key_is_sha_256_of_canonical_json() -> None:
    """By coreutils: printf '["http://h/v1","/p",{"a":1,"b":[2]},3]' | sha256sum"""
    call = Call("/p", {"b": [2], "a": 1}, Usage(), repeat=3)
    assert key_of(call, endpoint="http://h/v1") == "cdfa554dee6afe23b2c32ee6c2ed2e6085c610f7e18f682afbb5dbe990bc29b3"


def test_two_servers_do_not_share_an_answer_even_if_their_models_have_the_same_name() -> None:
    addresses = [ENDPOINT, "http://api.example.com/v1", "https://api.example.com:8443/v1", "https://api.example.com/v2"]
    assert len({key_of(CALL, endpoint=address) for address in addresses}) == 4


@pytest.mark.parametrize(
    "same",
    [
        "https://me:secret@api.example.com/v1",
        "https://api.example.com/v1/",
        "https://API.example.com/v1?key=secret#x",
    ],
)
def test_what_may_hold_a_key_is_no_part_of_an_address(same: str) -> None:
    assert key_of(CALL, endpoint=same) == key_of(CALL, endpoint=ENDPOINT)


@pytest.mark.parametrize(
    "other",
    [
        replace(CALL, path="/completions"),
        replace(CALL, repeat=1),
        replace(CALL, body={**CALL.body, "model": "large"}),
        replace(CALL, body={**CALL.body, "temperature": 1}),
        replace(CALL, body={**CALL.body, "messages": [{"content": "Hi!"}]}),
    ],
)
def test_another_path_repeat_model_parameter_or_prompt_is_another_call(other: Call) -> None:
    assert key_of(other, endpoint=ENDPOINT) != key_of(CALL, endpoint=ENDPOINT)


def test_the_order_of_a_body_and_the_bound_of_its_cost_do_not_matter() -> None:
    turned = replace(CALL, body=dict(reversed(CALL.body.items())), most=Usage(requests=9))
    assert key_of(turned, endpoint=ENDPOINT) == key_of(CALL, endpoint=ENDPOINT)


def test_repeats_are_answers_of_their_own() -> None:
    with Answers(None) as answers:
        answers.put(key(0), ANSWER, facts=TASK)
        assert answers.find(key(1)) is None
        answers.put(key(1), replace(ANSWER, text="negative"), facts=TASK)
        assert [found.text for n in (0, 1) if (found := answers.find(key(n)))] == ["positive", "negative"]


def test_the_first_answer_to_a_call_stays_and_the_second_is_charged_for() -> None:
    with Answers(None) as answers:
        answers.put(key(0), ANSWER, facts=TASK)
        assert answers.put(key(0), replace(ANSWER, text="negative"), facts=TASK) == ANSWER
        assert answers.find(key(0)) == ANSWER
        assert answers.spent() == COST + COST
        assert answers.spending() == (Spending("task", "c1", "train", answers=1, charges=1, usage=COST + COST),)


def test_the_first_of_two_answers_stays_even_if_they_are_written_in_one_transaction() -> None:
    with Answers(None) as answers, ThreadPoolExecutor(32) as threads:
        put = [threads.submit(answers.put, key(n % 4), replace(ANSWER, text=f"{n}"), facts=TASK) for n in range(32)]
        used = [one.result() for one in put]
        for n, answer in enumerate(used):
            assert answer == answers.find(key(n % 4))
        assert answers.spent().requests == 32


def test_what_was_spent_on_failures_is_known_to_the_session_that_resumes(path: Path) -> None:
    timed_out = Usage(requests=1, prompt_tokens=50, completion_tokens=8, seconds=60.0, usd=0.5)
    with Answers(path, "run") as answers:
        answers.put(key(0), ANSWER, facts=TASK)
        answers.charge(timed_out, facts=TASK)
        answers.charge(Usage(requests=1), facts=Facts("probe"))
    with Answers(path, "run") as answers:
        assert answers.spent() == COST + timed_out + Usage(requests=1)
        assert answers.spending() == (
            Spending("task", "c1", "train", answers=1, charges=1, usage=COST + timed_out),
            Spending("probe", "", "", answers=0, charges=1, usage=Usage(requests=1)),
        )


def test_the_answers_of_another_run_are_found_and_cost_nothing(path: Path) -> None:
    with Answers(path, "first") as first, Answers(path, "second") as second:
        first.put(key(0), ANSWER, facts=TASK)
        assert second.find(key(0)) == ANSWER
        assert second.spent() == Usage()
        assert second.spending() == ()
        assert second.spent("first") == COST
        assert second.spending("first") == first.spending()


def test_seconds_go_on_where_the_last_session_stopped_and_pauses_do_not_count(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("blackbox.backends.api.answers.time.monotonic", lambda: now)
    with Answers(path, "run") as answers:
        assert answers.elapsed == 0.0
        now += 5.0
        answers.put(key(0), ANSWER, facts=TASK)
        now += 1.0
        assert answers.elapsed == 5.0
    now += 1000.0
    with Answers(path, "run") as answers, Answers(path, "other") as other:
        now += 2.0
        answers.charge(Usage(requests=1), facts=TASK)
        assert answers.elapsed == 7.0
        assert other.elapsed == 0.0


def test_the_file_holds_no_request_and_no_address(path: Path) -> None:
    with Answers(path, "run") as answers:
        answers.put(key(0), ANSWER, facts=TASK)
    content = path.read_bytes()
    assert b"positive" in content
    assert b"example.com" not in content
    assert b"Hi." not in content


def test_sixty_four_threads_share_transactions_and_every_answer_is_in_the_file(path: Path) -> None:
    began: list[str] = []
    with Answers(path) as answers, ThreadPoolExecutor(64) as threads:
        answers._file._writing.set_trace_callback(began.append)
        list(threads.map(lambda n: answers.put(key(n), replace(ANSWER, text=f"{n}"), facts=TASK), range(640)))
        answers._file._writing.set_trace_callback(None)
        with Answers(path) as other:  # sees only what is committed
            found = [other.find(key(n)) for n in range(640)]
    assert [answer.text for answer in found if answer] == [str(n) for n in range(640)]
    assert began.count("COMMIT") < 320


def test_a_commit_is_flushed_to_the_disk_so_that_a_power_cut_loses_nothing(path: Path) -> None:
    """SQLite's documentation: in WAL mode, a commit survives a loss of power with synchronous = FULL (2)."""
    with Answers(path) as answers:
        for name, value in (("journal_mode", "wal"), ("synchronous", 2)):
            assert answers._file._writing.execute(f"PRAGMA {name}").fetchall() == [(value,)]


def test_answers_are_found_while_another_process_writes(path: Path) -> None:
    with Answers(path) as answers:
        answers.put(key(0), ANSWER, facts=TASK)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert answers.find(key(0)) == ANSWER
        other.execute("ROLLBACK")
        other.close()


WRITER = """
import sys
from pathlib import Path
from concurrent.futures import ThreadPoolExecutor
from blackbox.backends.api.answers import Answers
from tests.backends.api.test_answers import ANSWER, TASK, key

path, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])

def put(number):
    answers.put(key(number), ANSWER, facts=TASK)
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()

with Answers(path, "writer") as answers, ThreadPoolExecutor(8) as threads:
    list(threads.map(put, range(first, first + count)))
"""


def writer(path: Path, first: int, count: int) -> subprocess.Popen[bytes]:
    """A process that puts answers with 8 threads and says the number of each, once `put` has returned."""
    command = [sys.executable, "-c", WRITER, path, str(first), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3])


@pytest.mark.parametrize("said", [1, 60, 300])
def test_no_answer_that_was_put_is_lost_by_kill_9_and_the_file_opens_again(path: Path, said: int) -> None:
    process = writer(path, 0, 100_000)
    assert process.stdout
    lines = [process.stdout.readline() for _ in range(said)]
    process.send_signal(signal.SIGKILL)
    rest, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL
    numbers = [int(line) for line in (b"".join(lines) + rest).splitlines(keepends=True) if line.endswith(b"\n")]
    assert len(numbers) >= said
    with Answers(path, "writer") as answers:
        assert all(answers.find(key(number)) == ANSWER for number in numbers)
        assert len(numbers) <= answers.spent().requests <= len(numbers) + 8  # 8 calls were in flight
        answers.put(key(-1), ANSWER, facts=TASK)


def test_two_processes_make_and_fill_one_file(path: Path) -> None:
    processes = [writer(path, first, 150) for first in (0, 100)]  # 50 calls are paid for by both
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    with Answers(path, "writer") as answers:
        assert all(answers.find(key(number)) for number in range(250))
        assert answers.spent().requests == 300
        assert [(s.answers, s.charges) for s in answers.spending()] == [(250, 50)]


def test_a_file_that_another_process_holds_is_one_clear_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_file, "PATIENCE", 0.05)
    with Answers(path) as answers:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match=rf"{path} has been locked by another process for .* s; wait for it or"):
            answers.put(key(0), ANSWER, facts=TASK)
        other.execute("ROLLBACK")
        other.close()
        assert answers.put(key(0), ANSWER, facts=TASK) == ANSWER


def test_a_full_disk_is_one_clear_error_and_what_was_put_before_is_kept(path: Path) -> None:
    with Answers(path) as answers:
        answers.put(key(0), ANSWER, facts=TASK)
        with answers._file.transaction() as connection:
            [(pages,)] = connection.execute("PRAGMA page_count").fetchall()
        answers._file._writing.execute(f"PRAGMA max_page_count = {pages}").fetchall()
        with pytest.raises(JournalError, match="cannot be written: the disk is full; free space, then try again"):
            answers.put(key(1), replace(ANSWER, text="long" * 10_000), facts=TASK)
        assert answers.find(key(0)) == ANSWER
        assert answers.find(key(1)) is None


def test_a_newer_version_is_refused_by_number(path: Path) -> None:
    Answers(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(JournalError, match=rf"{path} was written by a newer version \(journal 7, this one reads 1\)"):
        Answers(path)


def test_the_database_of_another_program_is_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(JournalError, match=f"{path} is a database of another program"):
        Answers(path)


@pytest.mark.parametrize(
    "content", [b"no database, and long enough to be none" * 100, b"SQLite format 3\0" + b"x" * 4096]
)
def test_a_damaged_file_is_one_clear_error_and_stays_as_it_is(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(JournalError, match=rf"{path} is damaged \(.*\); restore it"):
        Answers(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("damage", ["{", "[]", '{"text": "x"}', '{"text": "x", "finish": "stop", "tops": [3]}'])
def test_a_damaged_answer_is_one_clear_error(path: Path, damage: str) -> None:
    with Answers(path) as answers:
        answers.put(key(0), ANSWER, facts=TASK)
        with answers._file.transaction() as connection:
            connection.execute("UPDATE calls SET answer = ?", (damage,))
        with pytest.raises(JournalError, match=f"the answer of call {key(0)} cannot be read"):
            answers.find(key(0))


def test_a_folder_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"none/answers\.db cannot be used: unable to open database file; see to it"):
        Answers(tmp_path / "none" / "answers.db")


def test_a_journal_that_is_closed_is_one_clear_error() -> None:
    answers = Answers(None)
    answers.close()
    with pytest.raises(JournalError, match="the journal in memory cannot be used: Cannot operate on a closed"):
        answers.put(key(0), ANSWER, facts=TASK)
    with pytest.raises(JournalError):
        answers.find(key(0))
