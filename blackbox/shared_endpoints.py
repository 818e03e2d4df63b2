"""What the runs of one process share where they ask endpoints: limits, outages and one budget.

Whoever does several such runs at once holds a `SharedEndpoints` and does each run within `share`, in whatever thread.
Outside, a run has its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blackbox.backends.api import Account, Gates


@dataclass(frozen=True, eq=False)
class SharedEndpoints:
    """See the module.

    Attributes:
        gates: one for each endpoint and key.
        account: what all runs together have spent and may spend.
    """

    gates: "Gates"
    account: "Account"

    @contextmanager
    def share(self) -> Iterator[None]:
        """Backends that are made inside, in this thread, share it."""
        token = _PRESENT.set(self)
        try:
            yield
        finally:
            _PRESENT.reset(token)


_PRESENT: ContextVar[SharedEndpoints | None] = ContextVar("shared endpoints", default=None)


def present() -> SharedEndpoints | None:
    """What is shared here; None outside."""
    return _PRESENT.get()
