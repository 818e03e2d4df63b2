"""What tokens cost.

The table is this project's own note of list prices, as they were in `WRITTEN`. Providers change theirs; the price of an
account is the user's to give, as a `Price`, and goes before the table.
"""

import math
import re
from dataclasses import dataclass
from types import MappingProxyType

from blackbox.backends.base import Usage
from blackbox.backends.errors import BackendSettingError

WRITTEN = "2026-06"
"""The month of the prices in `PER_MILLION`."""

PER_MILLION = MappingProxyType(
    {
        "gpt-3.5-turbo": (0.50, 1.50, 0.50),
        "gpt-4o": (2.50, 10.00, 1.25),
        "gpt-4o-2024-05-13": (5.00, 15.00, 5.00),
        "gpt-4o-mini": (0.15, 0.60, 0.075),
        "gpt-4.1": (2.00, 8.00, 0.50),
        "gpt-4.1-mini": (0.40, 1.60, 0.10),
        "gpt-4.1-nano": (0.10, 0.40, 0.025),
        "gpt-5": (1.25, 10.00, 0.125),
        "gpt-5-mini": (0.25, 2.00, 0.025),
        "gpt-5-nano": (0.05, 0.40, 0.005),
        "gpt-5.1": (1.25, 10.00, 0.125),
        "gpt-5.2": (1.75, 14.00, 0.175),
        "o3": (2.00, 8.00, 0.50),
        "o3-mini": (1.10, 4.40, 0.55),
        "o4-mini": (1.10, 4.40, 0.275),
        "claude-3-haiku": (0.25, 1.25, 0.03),
        "claude-3-5-haiku": (0.80, 4.00, 0.08),
        "claude-haiku-4-5": (1.00, 5.00, 0.10),
        "claude-sonnet-4": (3.00, 15.00, 0.30),
        "claude-sonnet-4-5": (3.00, 15.00, 0.30),
        "claude-opus-4-1": (15.00, 75.00, 1.50),
        "claude-opus-4-5": (5.00, 25.00, 0.50),
    }
)
"""USD per million tokens of a prompt, of a completion, and of a prompt that was read from the provider's cache."""

_DATE = re.compile(r"[-@]20\d\d-?\d\d-?\d\d$|-latest$")


@dataclass(frozen=True)
class Price:
    """What one token costs, USD.

    Attributes:
        usd_per_prompt_token: of the prompt.
        usd_per_completion_token: of what the model writes, its hidden reasoning included.
        usd_per_cached_token: of those prompt tokens that came from the provider's cache; not more than a prompt token,
            since what a call may cost at most is reckoned without a cache.
    """

    usd_per_prompt_token: float
    usd_per_completion_token: float
    usd_per_cached_token: float

    def __post_init__(self) -> None:
        """Check the figures.

        Raises:
            BackendSettingError: one is negative or not finite, or a cached token costs more than another.
        """
        figures = (self.usd_per_prompt_token, self.usd_per_completion_token, self.usd_per_cached_token)
        if not all(math.isfinite(figure) and figure >= 0 for figure in figures):
            raise BackendSettingError(f"prices must be 0 USD a token or more, got {figures}")
        if self.usd_per_cached_token > self.usd_per_prompt_token:
            raise BackendSettingError(
                f"a cached token must not cost more than a prompt token ({self.usd_per_prompt_token} USD), "
                f"got {self.usd_per_cached_token} USD"
            )

    @classmethod
    def per_million(cls, prompt: float, completion: float, cached: float | None = None) -> "Price":
        """The price from figures as price lists give them, USD per million tokens; without `cached`, no discount."""
        return cls(prompt / 1e6, completion / 1e6, (prompt if cached is None else cached) / 1e6)

    def usd(self, usage: Usage) -> float:
        """What a usage costs, USD. Its cached tokens are among its prompt tokens."""
        cached = min(usage.cached_tokens, usage.prompt_tokens)
        return (
            (usage.prompt_tokens - cached) * self.usd_per_prompt_token
            + cached * self.usd_per_cached_token
            + usage.completion_tokens * self.usd_per_completion_token
        )


def price_of(model: str) -> Price | None:
    """The list price of a model; None where the table has none.

    A dated snapshot ("gpt-4o-mini-2024-07-18", "claude-3-haiku@20240307") has the price of its family, unless the table
    has one of its own; a provider's prefix ("openai/") is left out. Other variants of a name are other models.
    """
    name = model.rsplit("/", 1)[-1].lower()
    figures = PER_MILLION.get(name) or PER_MILLION.get(_DATE.sub("", name))
    return Price.per_million(*figures) if figures else None
