"""What the routes work with."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from blackbox.service.http.access import Authority
from blackbox.service.http.limits import Limits
from blackbox.service.http.metrics import Counters
from blackbox.service.http.predicting import Predicting
from blackbox.service.http.streams import Streams
from blackbox.service.operator import Operator
from blackbox.service.store import Store


@dataclass(frozen=True)
class Parts:
    """The parts of one service; `app.state.parts`."""

    store: Store
    operator: Operator
    limits: Limits
    authority: Authority
    streams: Streams
    predicting: Predicting
    counters: Counters


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


async def _given(request: Request) -> Parts:
    return _parts(request)


Given = Annotated[Parts, Depends(_given)]
