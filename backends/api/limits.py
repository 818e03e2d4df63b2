"""Limits of what calls may cost."""

import math
from dataclasses import dataclass, fields, replace

from blackbox.backends.base import Usage
from blackbox.backends.errors import BackendSettingError

COUNTED = ("requests", "prompt_tokens", "completion_tokens", "usd")
"""What is set aside for a call; the order of `Amounts`."""

Amounts = tuple[float, ...]


@dataclass(frozen=True)
class Limits:
    """What all calls together may cost; None is no limit.

    Attributes:
        requests: HTTP requests, each attempt one.
        prompt_tokens: of all prompts, cached ones too.
        completion_tokens: of all that was written.
        usd: USD.
        seconds: from the first start, on the wall; a call that is in flight then is cut off.
    """

    requests: int | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    usd: float | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        """Check the limits.

        Raises:
            BackendSettingError: one is not a positive number.
        """
        for field in fields(self):
            limit = getattr(self, field.name)
            if limit is not None and not (math.isfinite(limit) and limit > 0):
                raise BackendSettingError(f"the limit {field.name} must be above 0, or None for no limit; got {limit}")

    def cut(self, lost: Usage, *, spent: Usage) -> Usage:
        """What was lost in a kill, an upper bound, cut to what the limits leave behind what is spent."""
        named = {name: getattr(self, name) for name in COUNTED}
        left = {name: limit - getattr(spent, name) for name, limit in named.items() if limit is not None}
        return replace(lost, **{name: max(0, min(getattr(lost, name), most)) for name, most in left.items()})


def counted(usage: Usage) -> Amounts:
    """What is limited of a usage, by `COUNTED`."""
    return (usage.requests, usage.prompt_tokens, usage.completion_tokens, usage.usd)


def unit(name: str) -> str:
    """A name of `COUNTED` in words."""
    return "USD" if name == "usd" else name.replace("_", " ")
