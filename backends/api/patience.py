"""How long an endpoint is waited for, and how often it is asked again."""

from dataclasses import dataclass, field

from blackbox.backends.api.waiting import Backoff
from blackbox.backends.errors import BackendSettingError


@dataclass(frozen=True)
class Patience:
    """See the module.

    Attributes:
        call_seconds: for one attempt as a whole.
        outage_seconds: the endpoint may fail for all calls, or tell one to wait, for so long.
        attempts: failures of its own after which a call has none left.
        first_try: from the beginning of an outage to the first try, s.
        longest_try: between two tries in an outage, s.
        backoff: between a call's attempts.
    """

    call_seconds: float = 60.0
    outage_seconds: float = 600.0
    attempts: int = 6
    first_try: float = 1.0
    longest_try: float = 30.0
    backoff: Backoff = field(default_factory=Backoff)

    def __post_init__(self) -> None:
        """Check the figures.

        Raises:
            BackendSettingError: one is not positive.
        """
        for name in ("call_seconds", "outage_seconds", "attempts"):
            if not getattr(self, name) > 0:
                raise BackendSettingError(f"{name} must be above 0, got {getattr(self, name)}")
