import statistics
import time
from email.utils import formatdate

import pytest

from blackbox.backends.api.waiting import LONGEST, Backoff, pause, retry_after, span
from blackbox.backends.errors import QuotaError


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "9"}, 9.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "20s"}, 20.0),
        ({"retry-after": "9999999"}, LONGEST),
        ({"retry-after": "9" * 400}, LONGEST),
        ({"retry-after": formatdate(1_000_030, usegmt=True)}, 30.0),
        ({"retry-after": formatdate(999_000, usegmt=True)}, 0.0),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_every_form_of_retry_after_is_understood_and_garbage_is_none(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers, now=1_000_000.0) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("12ms", 0.012),
        ("1h2m3.5s", 3723.5),
        ("7", 7.0),
        ("8.64s", 8.64),
        ("1d", None),
        ("s", None),
        ("1s garbage", None),
        (None, None),
    ],
)
def test_spans_are_understood(text: str | None, seconds: float | None) -> None:
    assert span(text) == (None if seconds is None else pytest.approx(seconds))


def test_waits_are_uniform_below_a_bound_that_doubles_up_to_the_longest() -> None:
    backoff = Backoff(1.0, 8.0, seed=1)
    for failures, bound in [(1, 1.0), (2, 2.0), (4, 8.0), (5000, 8.0)]:
        waits = [backoff.seconds(failures) for _ in range(4000)]
        assert min(waits) >= 0 and max(waits) <= bound
        assert statistics.fmean(waits) == pytest.approx(bound / 2, rel=0.05)


def test_a_check_that_raises_ends_a_pause_soon() -> None:
    began = time.monotonic()

    def check() -> None:
        if time.monotonic() > began + 0.05:
            raise QuotaError("used up")

    with pytest.raises(QuotaError):
        pause(30.0, check)
    assert time.monotonic() < began + 5
