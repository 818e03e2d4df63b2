"""Text prompts that are given: the search is for the best of them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from blackbox.backends import Prompt, TextPrompt
from blackbox.errors import SettingError


class TextsSpace:
    """A candidate has a number for each prompt, and stands for the one with the highest, the first of equals.

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
        return len(self.prompts)

    @property
    def blocks(self) -> tuple[int, ...]:
        """One: the numbers mean nothing without each other."""
        return (len(self.prompts),)

    def decode(self, candidates: npt.NDArray[np.float64]) -> list[Prompt]:
        """The prompt of each candidate of shape (n, dimension)."""
        return [self.prompts[number] for number in candidates.argmax(axis=1)]
