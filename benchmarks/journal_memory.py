"""What the journal of paid answers costs beside the model: memory and CPU time over 100,000 calls of 64 threads.

A call is its key, a look for its answer, which is not there yet, and the answer written down, flushed to the disk. Then
all are found, as a resumed run finds them. An answer has one token with its 20 most probable ones, as label scores ask
for.
"""

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psutil

from blackbox.backends import Usage
from blackbox.backends.api.answer import Answer, Call
from blackbox.backends.api.answers import Answers, Facts, key_of

CALLS, QUICK, CHECKPOINTS, THREADS = 100_000, 5_000, 10, 64
ENDPOINT = "http://127.0.0.1:8080/v1"
MOST = Usage(requests=1, prompt_tokens=400, completion_tokens=1)
BODY = {"model": "small", "max_tokens": 1, "messages": [{"role": "user", "content": "Classify the feedback. " * 20}]}
TOP = {f"token{place}": -0.1234567890123 * (place + 1) for place in range(20)}
FACTS = Facts("task", "0123456789abcdef", "train")
BAR = 0.2
"""Most CPU ms a call."""
FIGURES = ("cpu_ms_a_call", "clock_ms_a_call", "cpu_ms_a_call_found_again")


def run(*, quick: bool) -> dict[str, object]:
    """MB of the process by the number of calls, CPU ms and ms of the clock a call, MB of the file."""
    calls = QUICK if quick else CALLS
    resident: dict[str, float] = {}
    cpu = clock = 0.0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(THREADS) as threads:
        path = Path(folder) / "answers.db"
        with Answers(path, "benchmark") as answers:
            for share in range(CHECKPOINTS):
                numbers = range(share * calls // CHECKPOINTS, (share + 1) * calls // CHECKPOINTS)
                took = _timed(threads, partial(_pay, answers), numbers)
                cpu, clock = cpu + took[0], clock + took[1]
                resident[str(numbers.stop)] = round(psutil.Process().memory_info().rss / 1e6, 1)
        with Answers(path, "benchmark") as answers:
            again, _ = _timed(threads, partial(_find, answers), range(calls))
        size = path.stat().st_size
    figures: dict[str, object] = {
        "threads": THREADS,
        "rss_mb_by_calls": resident,
        "cpu_ms_a_call": round(1e3 * cpu / calls, 3),
        "clock_ms_a_call": round(1e3 * clock / calls, 3),
        "cpu_ms_a_call_found_again": round(1e3 * again / calls, 3),
        "file_mb": round(size / 1e6, 1),
        "bar_met": 1e3 * cpu / calls <= BAR,
    }
    _print(figures, resident)
    return figures


def _timed(threads: ThreadPoolExecutor, do: Callable[[int], None], numbers: range) -> tuple[float, float]:
    """CPU seconds and seconds of the clock. Each thread takes every 64th number: no queue is in the figures."""

    def some(first: int) -> None:
        for number in numbers[first::THREADS]:
            do(number)

    began, cpu = time.perf_counter(), time.process_time()
    for done in [threads.submit(some, first) for first in range(THREADS)]:
        done.result()
    return time.process_time() - cpu, time.perf_counter() - began


def _pay(answers: Answers, number: int) -> None:
    key = key_of(Call("/chat/completions", BODY, MOST, repeat=number), endpoint=ENDPOINT)
    if answers.find(key):
        raise RuntimeError(f"call {number} was answered before it was made")
    answers.put(key, Answer(str(number), "length", (TOP,), MOST, "fp_0123456789"), facts=FACTS)


def _find(answers: Answers, number: int) -> None:
    found = answers.find(key_of(Call("/chat/completions", BODY, MOST, repeat=number), endpoint=ENDPOINT))
    if found != Answer(str(number), "length", (TOP,), MOST, "fp_0123456789"):
        raise RuntimeError(f"call {number} was answered otherwise")


def _print(figures: dict[str, object], resident: dict[str, float]) -> None:
    print(f"{'calls':>10}{'MB':>10}")
    for calls, megabytes in resident.items():
        print(f"{calls:>10}{megabytes:>10.1f}")
    paid, clock, again = (figures[name] for name in FIGURES)
    print(f"\n{THREADS} threads: CPU {paid} ms a call (bar {BAR}), {clock} ms of the clock; found again {again} ms")
    print(f"{figures['file_mb']} MB of file\n")
