"""The contract of a prompt space."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from blackbox.backends import Prompt
from blackbox.errors import SettingError


class PromptSpace(Protocol):
    """Maps candidates to prompts. The candidate of zeros is the starting prompt.

    A space of numbers maps all of R^dimension. A space of choices has variables with a few categories each: a candidate
    holds whole numbers, coordinate i one of 0..sizes[i]-1.

    Decoding is deterministic and does not depend on the other candidates of a call. A candidate may have no prompt
    (None, never that of zeros): it has failed, and nothing is spent on it.
    """

    @property
    def dimension(self) -> int:
        """Numbers in a candidate."""
        ...

    @property
    def blocks(self) -> Sequence[int]:
        """Lengths of the parts of a candidate; they add up to `dimension`.

        Of numbers, what a blockwise search changes in turn. Of choices, runs of variables that choose from the same
        categories (slots for demonstrations), so that what one tells of a category goes for all; 1 for the others.
        """
        ...

    @property
    def sizes(self) -> tuple[int, ...] | None:
        """The number of categories of each variable, `dimension` numbers; None: a space of numbers."""
        ...

    def decode(self, candidates: npt.NDArray[np.float64]) -> Sequence[Prompt | None]:
        """The prompts of candidates of shape (n, dimension), None for one that has none."""
        ...


@runtime_checkable
class MatrixSpace(PromptSpace, Protocol):
    """A space of numbers whose blocks may be matrices, for optimizers that know what to do with one."""

    @property
    def shapes(self) -> tuple[tuple[int, int], ...] | None:
        """(rows, columns) of each block, row by row in a candidate; None: they are none."""
        ...


@runtime_checkable
class GrowingSpace(PromptSpace, Protocol):
    """A space to which a search adds: what was added is part of its checkpoint."""

    def state_dict(self) -> dict[str, Any]:
        """What was added, as JSON values."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with what `state_dict` wrote."""
        ...


@runtime_checkable
class WrittenSpace(GrowingSpace, Protocol):
    """A space whose prompts a model writes: many candidates have the same one, and some have none.

    What was written for a candidate stays: it is part of the checkpoint. The last digits of what a model computes may
    depend on what else is in a call, and so may what it writes, so a search decodes a generation in one call.
    """

    @property
    def vectors(self) -> PromptSpace:
        """What a candidate is to the model that writes."""
        ...

    @property
    def source(self) -> str:
        """What tells the model that writes, and what it is asked, from others."""
        ...

    def written_for(self, candidate: str) -> Prompt | None:
        """The prompt of a candidate that was decoded, by its digest; None where it has none."""
        ...


def prompt_of(space: PromptSpace, candidate: npt.NDArray[np.float64]) -> Prompt:
    """The prompt of one candidate of shape (dimension,).

    Raises:
        SettingError: it has none.
    """
    [prompt] = space.decode(candidate[None])
    if prompt is None:
        raise SettingError(f"the candidate {candidate} has no prompt")
    return prompt
