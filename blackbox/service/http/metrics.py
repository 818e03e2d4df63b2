"""Figures in Prometheus' text format (version 0.0.4)."""

from collections import Counter
from collections.abc import Iterable, Mapping

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # s


class Counters:
    """Requests by sort and status, and how long they took; used from the event loop only."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._within: Counter[tuple[str, float]] = Counter()
        self._seconds: Counter[str] = Counter()
        self.watchers = 0

    def answered(self, sort: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests[sort, status] += 1
        self._seconds[sort] += seconds  # type: ignore[assignment]
        for bound in _BOUNDS:
            if seconds <= bound:
                self._within[sort, bound] += 1

    def lines(self) -> Iterable[str]:
        """What was counted."""
        yield from _head("blackbox_http_requests_total", "counter", "Requests that were answered.")
        for (sort, status), count in sorted(self._requests.items()):
            yield f'blackbox_http_requests_total{{sort="{sort}",status="{status}"}} {count}'
        name = "blackbox_http_request_seconds"
        yield from _head(name, "histogram", "Time until an answer begins, in seconds.")
        for sort in sorted(self._seconds):
            total = sum(count for (of, _), count in self._requests.items() if of == sort)
            for bound in _BOUNDS:
                yield f'{name}_bucket{{sort="{sort}",le="{bound:g}"}} {self._within[sort, bound]}'
            yield f'{name}_bucket{{sort="{sort}",le="+Inf"}} {total}'
            yield f'{name}_sum{{sort="{sort}"}} {self._seconds[sort]:.6f}'
            yield f'{name}_count{{sort="{sort}"}} {total}'
        yield from _head("blackbox_watchers", "gauge", "Streams of events that are open.")
        yield f"blackbox_watchers {self.watchers}"


def exposition(counters: Counters, jobs: Mapping[str, int]) -> str:
    """The page that Prometheus reads; `jobs` are the numbers of jobs by status."""
    lines = [*counters.lines(), *_head("blackbox_jobs", "gauge", "Jobs by status.")]
    lines += [f'blackbox_jobs{{status="{status}"}} {count}' for status, count in sorted(jobs.items())]
    return "\n".join(lines) + "\n"


def _head(name: str, kind: str, text: str) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
