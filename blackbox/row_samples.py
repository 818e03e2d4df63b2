"""A fresh sample of the training rows for each generation: repeated random sampling (RS2, arXiv 2305.18424).

Rows are shuffled and dealt out: no row comes twice before the others have come, but for those that are left when an
epoch's samples are full. A generation's sample depends on its number only, so that a resumed run meets the same rows.
"""

from dataclasses import dataclass

import numpy as np

from blackbox.split import Split


@dataclass(frozen=True)
class RowSamples:
    """Samples of a split.

    Attributes:
        split: the training rows.
        size: rows of a sample, fewer than the split has.
        seed: of the shuffles.
    """

    split: Split
    size: int
    seed: int

    def rows(self, generation: int) -> tuple[int, ...]:
        """The numbers of the rows of a generation, counted from 1; ascending."""
        of_an_epoch = len(self.split) // self.size
        epoch, place = divmod(generation - 1, of_an_epoch)
        shuffle = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(epoch,)))
        dealt = shuffle.permutation(len(self.split))[place * self.size : (place + 1) * self.size]
        return tuple(sorted(dealt.tolist()))

    def of(self, generation: int) -> Split:
        """The rows of a generation."""
        return self.split.sample(self.rows(generation))
