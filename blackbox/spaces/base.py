"""The contract of a prompt space."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from blackbox.backends import Prompt


class PromptSpace(Protocol):
    """Maps candidates to prompts. The candidate of zeros is the starting prompt.

    Decoding is deterministic and does not depend on the other candidates of a call.
    """

    @property
    def dimension(self) -> int:
        """Numbers in a candidate."""
        ...

    @property
    def blocks(self) -> Sequence[int]:
        """Sizes of the parts that a blockwise search changes in turn; they add up to `dimension`."""
        ...

    def decode(self, candidates: npt.NDArray[np.float64]) -> list[Prompt]:
        """The prompts of candidates of shape (n, dimension)."""
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
