"""The tasks: five classifications and three of generation, few rows to search with and rows that no search has seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.data import data_folder
from blackbox import Task, read_rows
from blackbox.data import sample_shots

SHOTS, ROWS, TEST_ROWS = 16, 32, 200
SEEDS = (13, 21, 42)


@dataclass(frozen=True)
class Source:
    """A data set and how its rows are written.

    Attributes:
        folder: of the data set.
        template: of the start.
        words: label -> word; empty for targets.
        shots: rows of each label in train and in dev; of targets in all.
        split: whether the data set has published few-shot splits.
        field: that holds the label or the target.
    """

    folder: str
    template: str
    words: Mapping[str, str]
    shots: int
    split: bool
    field: str

    def make(self, seed: int) -> Task:
        """The task of a seed: training and dev rows, and the first test rows."""
        folder = data_folder(self.folder)
        if self.split:
            train, dev = (read_rows(folder / f"fewshot16/seed{seed}_{part}.jsonl") for part in ("train", "dev"))
        else:
            field = self.field if self.words else None
            train, dev = sample_shots(read_rows(folder / "train.jsonl"), shots=self.shots, seed=seed, label_field=field)  # type: ignore[assignment]
        test = read_rows(folder / "test.jsonl")
        chosen = np.random.default_rng(0).permutation(len(test))[:TEST_ROWS]
        rows = {"dev": dev, "test": [test[place] for place in sorted(chosen)], "template": self.template}
        if self.words:
            return Task(train, label_words=self.words, label_field=self.field, **rows)  # type: ignore[arg-type]
        return Task(train, target_field=self.field, metric="exact-match", **rows)  # type: ignore[arg-type]


def _alike(words: Sequence[str]) -> dict[str, str]:
    return {word: word for word in words}


SOURCES = {
    "sst2": Source(
        "sst2", "Review: {text}\nSentiment: {label}", _alike(("negative", "positive")), SHOTS, split=True, field="label"
    ),
    "agnews": Source(
        "agnews",
        "Article: {text}\nTopic: {label}",
        _alike(("world", "sports", "business", "technology")),
        SHOTS,
        split=True,
        field="label",
    ),
    "trec": Source(
        "trec",
        "Question: {text}\nType: {label}",
        _alike(("abbreviation", "description", "entity", "human", "location", "number")),
        SHOTS,
        split=True,
        field="label",
    ),
    "navigate": Source(
        "bbh/navigate", "{input}\nAnswer: {label}", _alike(("Yes", "No")), 9, split=False, field="target"
    ),
    "sports": Source(
        "bbh/sports_understanding", "{input}\nAnswer: {label}", _alike(("yes", "no")), 9, split=False, field="target"
    ),
    "antonyms": Source(
        "instruction_induction/antonyms", "Input: {input}\nOutput: {label}", {}, ROWS, split=False, field="target"
    ),
    "larger-animal": Source(
        "instruction_induction/larger_animal",
        "Input: {input}\nOutput: {label}",
        {},
        ROWS,
        split=False,
        field="target",
    ),
    "plural": Source(
        "instruction_induction/singular_to_plural",
        "Input: {input}\nOutput: {label}",
        {},
        ROWS,
        split=False,
        field="target",
    ),
}
"""By name."""
