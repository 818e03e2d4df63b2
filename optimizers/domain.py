"""What an optimizer searches: vectors of numbers, or choices."""

from __future__ import annotations

from dataclasses import dataclass

from blackbox.optimizers import settings
from blackbox.optimizers.errors import SettingError


@dataclass(frozen=True)
class Domain:
    """R^dimension, or, where `sizes` are given, all combinations of categories.

    A choice is a candidate of whole numbers: variable i has one of 0..sizes[i]-1.

    Attributes:
        blocks: Lengths of the parts of a candidate, in order; they add up to its dimension. Of numbers, what a
            blockwise search changes in turn; of choices, runs of variables that choose from the same categories, so
            that what one tells of a category goes for all: slots for demonstrations, 1 for a variable of its own.
        sizes: The number of categories of each variable; None for numbers.
        shapes: (rows, columns) of each block, where blocks of numbers are matrices.

    Raises:
        SettingError: Blocks or sizes that cannot be, or that do not fit each other.
    """

    blocks: tuple[int, ...]
    sizes: tuple[int, ...] | None = None
    shapes: tuple[tuple[int, int], ...] | None = None

    def __post_init__(self) -> None:
        for i, block in enumerate(self.blocks):
            settings.whole_number(f"blocks[{i}]", block, at_least=1)
        if self.sizes is not None:
            settings.sizes("sizes", self.sizes)
            _check_alike(self.blocks, self.sizes)
        if self.shapes is not None and self.blocks != tuple(rows * columns for rows, columns in self.shapes):
            raise SettingError(f"shapes must fill the blocks {self.blocks}, got {self.shapes}")

    @property
    def dimension(self) -> int:
        """Length of a candidate."""
        return sum(self.blocks)


def _check_alike(blocks: tuple[int, ...], sizes: tuple[int, ...]) -> None:
    if sum(blocks) != len(sizes):
        raise SettingError(f"blocks must add up to the {len(sizes)} variables that sizes has, got {sum(blocks)}")
    end = 0
    for i, block in enumerate(blocks):
        found, end = sizes[end : end + block], end + block
        if len(set(found)) > 1:
            raise SettingError(
                f"variables of one block must choose from the same categories, blocks[{i}] has sizes {found}; "
                "give those that differ a block of their own"
            )
