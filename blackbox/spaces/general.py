"""What space "choices" begins with where nothing is given: instructions that say nothing of the task, and rows."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from blackbox.errors import SettingError
from blackbox.racing import row_order

GENERAL_FOR_LABELS = (
    "Decide which label fits.",
    "Classify the text.",
    "Read the text carefully and choose the right answer.",
    "You are an expert annotator. Answer with the label and nothing else.",
    "Look at the examples and answer in the same way.",
)
GENERAL_FOR_TARGETS = (
    "Answer the question.",
    "Give only the answer, without an explanation.",
    "Look at the examples and answer in the same way.",
    "Find the rule behind the examples and apply it.",
    "You are an expert. Write the right answer and nothing else.",
)


def sample_of_rows(labels: npt.NDArray[np.int64], count: int, *, seed: int) -> list[int]:
    """Numbers of at most `count` rows, each label as often as its share of all rows says."""
    return sorted(row_order(len(labels), labels=labels.tolist(), seed=seed)[:count])


def label_words_of(words: Mapping[str, str], labels: Sequence[str]) -> tuple[str, ...]:
    """Label words in the order of a task's labels.

    Raises:
        SettingError: a label without a word, a word without a label, or one that stands for two labels.
    """
    if set(words) != set(labels) or len(set(words.values())) < len(words):
        raise SettingError(f"words must give each label a word of its own: {', '.join(labels)}; got {dict(words)}")
    return tuple(words[label] for label in labels)
