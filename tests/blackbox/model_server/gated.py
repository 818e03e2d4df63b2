"""A backend that answers when it is let, and writes down what it was asked."""

import threading
from collections.abc import Sequence

from blackbox.backends import FakeBackend, Prompt, Query, Scores


class GatedBackend(FakeBackend):
    """The fake backend behind a gate.

    Attributes:
        gate: calls wait until it is set.
        begun: set when a call waits.
        asked: (prompts, queries) of each call, in order.
        threads: that have asked.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.begun = threading.Event(), threading.Event()
        self.asked: list[tuple[int, tuple[Query, ...]]] = []
        self.threads: set[int] = set()

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        self.asked.append((len(prompts), tuple(queries)))
        self.threads.add(threading.get_ident())
        self.begun.set()
        assert self.gate.wait(20), "nobody has opened the gate"
        return super().score(prompts, queries)
