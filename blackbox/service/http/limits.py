"""How much, how often and for how long: the limits of requests, and buckets that count them."""

import dataclasses
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs

from starlette.types import Scope

Sort = Literal["read", "write", "upload", "download", "predict", "stream"]


@dataclass(frozen=True)
class Rate:
    """Requests of one caller: `per_second` in the long run, `burst` at once."""

    per_second: float
    burst: float


@dataclass(frozen=True)
class Limits:
    """The limits of a service; sizes in bytes, times in s.

    Attributes:
        body: of a request other than an upload; of a prediction, `predict_body`.
        file: of a file with rows; of all files of an owner, `files`.
        rows: of a file.
        field: of one field of a row, characters.
        fields: of a row.
        address: of a request's path and query.
        headers: of all together, in up to `header_lines`.
        depth: of JSON: objects and lists within each other.
        body_seconds: until a body has arrived; of an upload, between two of its parts.
        seconds: until a request is answered; streams have none.
        transfer_seconds, predict_seconds: the same of an upload or download, and of a prediction.
        send_seconds: that a part of a stream may wait for a watcher that does not read.
        requests: in work at the same time, streams left out.
        watchers: streams at the same time; of one caller, `watchers_each`.
        predict_rows: of one request.
        predictions: at the same time; the next ones wait, at most as many again.
        rates: of each caller, by the sort of the request.
    """

    body: int = 256 << 10
    predict_body: int = 1 << 20
    file: int = 64 << 20
    files: int = 1 << 30
    rows: int = 200_000
    field: int = 100_000
    fields: int = 100
    address: int = 8192
    headers: int = 16 << 10
    header_lines: int = 80
    depth: int = 24
    body_seconds: float = 15.0
    seconds: float = 30.0
    transfer_seconds: float = 300.0
    predict_seconds: float = 120.0
    send_seconds: float = 60.0
    requests: int = 200
    watchers: int = 2000
    watchers_each: int = 1000
    predict_rows: int = 64
    predictions: int = 2
    rates: dict[Sort, Rate] = dataclasses.field(
        default_factory=lambda: {
            "read": Rate(400, 800),
            "write": Rate(20, 60),
            "upload": Rate(2, 10),
            "download": Rate(10, 40),
            "predict": Rate(5, 20),
            "stream": Rate(100, 1000),
        }
    )

    def seconds_of(self, sort: Sort) -> float | None:
        """Until a request of a sort is answered; None: as long as it takes."""
        times = {"predict": self.predict_seconds, "stream": None}
        return times.get(sort, self.transfer_seconds if sort in {"upload", "download"} else self.seconds)

    def bytes_of(self, sort: Sort) -> int:
        """Of a request's body. An upload has some more than its file: the form's own lines."""
        return {"upload": self.file + (64 << 10), "predict": self.predict_body}.get(sort, self.body)


def sort_of(scope: Scope) -> Sort:
    """What a request is, seen from its head."""
    method, path = scope["method"], scope["path"]
    if method in {"GET", "HEAD", "OPTIONS"}:
        if path.startswith("/v1/files/") and path.endswith("/content"):
            return "download"
        return "stream" if wants_stream(scope) else "read"
    if path == "/v1/files":
        return "upload"
    return "predict" if path.endswith("/predict") else "write"


def wants_stream(scope: Scope) -> bool:
    """Whether events are asked for as they happen: by `stream=true`, or by `Accept`."""
    if scope["method"] != "GET" or not scope["path"].endswith("/events"):
        return False
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("stream", [""])[-1].lower()
    if asked in {"true", "1", "yes", "on"}:
        return True
    return any(name == b"accept" and b"text/event-stream" in value for name, value in scope["headers"])


class Buckets:
    """Token buckets by key; those that were not used for the longest are forgotten.

    Args:
        clock: seconds that never go back.
        most: keys that are remembered. A key that is forgotten begins anew with a full bucket.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, most: int = 10_000) -> None:
        self._clock, self._most = clock, most
        self._levels: OrderedDict[object, tuple[float, float]] = OrderedDict()

    def take(self, key: object, rate: Rate) -> float:
        """Take one; 0 where there was one, else the seconds until there will be."""
        now = self._clock()
        level, then = self._levels.pop(key, (rate.burst, now))
        level = min(rate.burst, level + (now - then) * rate.per_second)
        taken = level >= 1
        self._levels[key] = (level - 1 if taken else level, now)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)
        return 0.0 if taken else (1 - level) / rate.per_second
