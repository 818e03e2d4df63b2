"""Text prompts that are given: the search is for the best of them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from blackbox.backends import Prompt, TextPrompt
from blackbox.errors import SettingError


class TextsSpace:
    """One choice: a candidate is the number of a prompt, counted from 0.

    Args:
        prompts: at least two, no two alike; the search starts from the first.

    Raises:
        SettingError: fewer, or the same one twice.
    """

    def __init__(self, prompts: Sequence[TextPrompt]) -> None:
        if len(prompts) < 2:
            raise SettingError(f"space 'texts' chooses between prompts and needs at least two, got {len(prompts)}")
        for number, prompt in enumerate(prompts):
            if prompt in prompts[:number]:
                raise SettingError(
                    f"prompt {number + 1} is the same as prompt {prompts.index(prompt) + 1}; leave it out"
                )
        self.prompts = tuple(prompts)

    @property
    def dimension(self) -> int:
        return 1

    @property
    def blocks(self) -> tuple[int, ...]:
        return (1,)

    @property
    def sizes(self) -> tuple[int, ...]:
        return (len(self.prompts),)

    def decode(self, candidates: npt.NDArray[np.float64]) -> list[Prompt]:
        """The prompt of each candidate of shape (n, 1)."""
        return [self.prompts[int(number)] for number in candidates[:, 0]]
