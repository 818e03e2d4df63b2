"""What may be handed in: settings of a search by an allow-list, files by their ids, a model by the operator's name.

Nothing in a request names a path, an address, an import or a variable: a key that is not here is refused.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from blackbox.checked import check_keys, checked
from blackbox.config import (
    Config,
    FinishingSettings,
    OptimizerSettings,
    RunSettings,
    SpaceSettings,
    TaskSettings,
)
from blackbox.errors import SettingError

FILES = ("train", "dev", "test")
BUDGETS = ("max_requests", "max_prompt_tokens", "max_completion_tokens", "max_usd")
ALLOWED = frozenset(
    {
        *(TaskSettings.model_fields.keys() - set(FILES)),
        *SpaceSettings.model_fields,
        *OptimizerSettings.model_fields,
        *FinishingSettings.model_fields,
        *RunSettings.model_fields,
        *BUDGETS,
        "answer_tokens",
        "preset",
        "proposal_tokens",
        "proposal_length",
        "proposal_rows",
    }
)
"""The settings that a request may have."""

MOST = {
    "answer_tokens": 4096,
    "demonstrations": 256,
    "dimension": 20_000,
    "evaluations": 10_000_000,
    "finalists": 1000,
    "islands": 256,
    "population": 10_000,
    "prompt_tokens": 8192,
    "proposal_length": 100_000,
    "proposal_rows": 1000,
    "proposal_tokens": 8192,
    "shots": 1_000_000,
    "shown_from": 1_000_000,
    "slice_size": 10_000,
    "starts": 1000,
}
"""Settings that cost memory before any budget can count it, and what they may be at most."""

_INLINE = ("prompts", "instructions")


class JobRequest(BaseModel):
    """A search that is asked for.

    Raises:
        SettingError: by `of`, where something is not as it must be.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None = Field(None, max_length=200, description="For people, in lists and on the page.")
    backend: str = Field(min_length=1, max_length=64, description="The model, by its name in the list of backends.")
    training_file: str = Field(min_length=1, max_length=64, description="Id of the file with the training rows.")
    dev_file: str | None = Field(None, max_length=64, description="Id of the file that the prompt is selected on.")
    test_file: str | None = Field(None, max_length=64, description="Id of the file that only reports the outcome.")
    proposer: str | None = Field(
        None,
        max_length=64,
        description="The model that writes new instructions, by its name in the list of backends, or none; default: "
        "the backend itself, if it writes text.",
    )
    settings: dict[str, Any] = Field(default_factory=dict, description="Settings of the search.")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "JobRequest":
        """A request of JSON values, its settings checked as far as that can be done without the operator.

        Raises:
            SettingError: a key that there is not, or a value that cannot be.
        """
        request = checked(cls, values, what="key of a job")
        request.check()
        return request

    @property
    def files(self) -> dict[str, str]:
        """The ids of its files by the settings that they are for."""
        given = {"train": self.training_file, "dev": self.dev_file, "test": self.test_file}
        return {name: file for name, file in given.items() if file is not None}

    def check(self) -> None:
        """Refuse settings that no request may have.

        Raises:
            SettingError: one that is not allowed, or one that names a file.
        """
        check_keys(self.settings, ALLOWED, what="setting")
        for name in _INLINE:
            if isinstance(self.settings.get(name), str):
                raise SettingError(f"setting {name!r}: must be a list, for no job reads files by their names")


def check_size(config: Config) -> None:
    """Refuse settings that cost memory before any budget can count it.

    Raises:
        SettingError: one is larger than any job needs.
    """
    for name, most in MOST.items():
        value = getattr(config, name)
        if value is not None and value > most:
            raise SettingError(f"setting {name!r}: must be at most {most}, got {value!r}")
