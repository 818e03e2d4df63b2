"""The budget of a sweep, and its bill: of all runs that ask endpoints, together and over all sessions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from blackbox.backends import Usage

if TYPE_CHECKING:
    from blackbox.backends.api import Limits

WHOSE = "the sweep"
"""In refusals, and so in the stop reasons of runs: "requests of the sweep"."""


class SweepBudget(BaseModel):
    """Budget of the whole sweep."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    max_requests: int | None = Field(default=None, ge=1, description="Requests of all runs, those that fail included.")
    max_prompt_tokens: int | None = Field(default=None, ge=1, description="Tokens read, of all runs.")
    max_completion_tokens: int | None = Field(default=None, ge=1, description="Tokens written, of all runs.")
    max_usd: float | None = Field(default=None, gt=0, description="USD of all runs.")
    seconds: float | None = Field(default=None, gt=0, description="Wall time, without pauses between sessions.")

    def limits(self) -> "Limits":
        """The same for the account."""
        from blackbox.backends.api import Limits

        values = self.model_dump()
        return Limits(**{name.removeprefix("max_"): value for name, value in values.items()})


@dataclass(frozen=True)
class Bill:
    """What the runs of a sweep that ask endpoints have cost together, over all its sessions.

    Attributes:
        spent: by all calls, those of failed and unfinished runs included; its seconds are those of the calls.
        seconds: that the sweep has taken.
        budget: of the sweep.
    """

    spent: Usage
    seconds: float
    budget: SweepBudget
