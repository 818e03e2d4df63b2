"""The contract of a prompt space."""

from collections.abc import Sequence
from typing import Protocol

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
