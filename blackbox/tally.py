"""What a search counts."""

from dataclasses import dataclass


@dataclass
class Tally:
    """The counters of a search.

    Attributes:
        number: evaluations of any split so far; the number of the next one.
        generation: generations told so far.
        spent: evaluations as the budget counts them.
        last_gain: `spent` when the training loss last fell.
        slowest: the longest time of one evaluation so far, s.
        test_seconds: time that one scoring of the test rows takes, s.
        asking: the longest time in which the optimizer has made a generation so far, s.
        sampled: rows of samples that were scored so far.
    """

    number: int = 0
    generation: int = 0
    spent: int = 0
    last_gain: int = 0
    slowest: float = 0.0
    test_seconds: float = 0.0
    asking: float = 0.0
    sampled: int = 0

    def took(self, split: str, seconds: float, count: int) -> None:
        """Learn what evaluations may take; from the journal's answers too, so that a resumed run knows it."""
        if split == "train":
            self.slowest = max(self.slowest, seconds / count)
        elif split == "test":
            self.test_seconds = max(self.test_seconds, seconds)
