"""The tasks of `benchmarks.text_search.tasks` with what every tool is told of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.text_peers.programs.exchange import Brief, Example
from benchmarks.text_search.tasks import SOURCES
from blackbox import Task

MODEL = "smollm2-135m"
ANSWER_TOKENS, PROPOSAL_TOKENS = 32, 256

DESCRIPTIONS: Mapping[str, str] = {
    "sst2": "Say whether the sentiment of a movie review is negative or positive.",
    "agnews": "Say what a news article is about.",
    "trec": "Say what type of answer a question asks for.",
    "navigate": "Say whether somebody who follows the steps returns to the starting point.",
    "sports": "Say whether a sentence about sports is plausible.",
    "antonyms": "Write the opposite of the word.",
    "larger-animal": "Write which of the two animals is larger.",
    "plural": "Write the plural of the word.",
}
"""By task: what there is to do. All tools start from it."""

_FRAMES = (
    "{}",
    "Your task: {}",
    "Read the input carefully. {}",
    "You are an expert. {}",
    "Look at the examples and answer in the same way. {}",
)


@dataclass(frozen=True)
class PeerTask:
    """A task with a seed, as rows for all tools.

    Attributes:
        name, seed: which.
        task: with all rows; dev rows in an order drawn by the seed, since tools take the first ones.
        words: label words in the order of the labels; none for targets.
        description: what there is to do.
    """

    name: str
    seed: int
    task: Task
    words: Sequence[str]
    description: str

    @classmethod
    def make(cls, name: str, seed: int, *, test_rows: int) -> "PeerTask":
        """The task of a name and seed with its first test rows.

        Raises:
            MissingDataError: the data is not there.
        """
        made = SOURCES[name].make(seed).to_dict()
        order = np.random.default_rng(seed).permutation(len(made["dev"]))
        rows = {"dev": [made["dev"][place] for place in order], "test": made["test"][:test_rows]}
        answers = {} if made.get("label_words") else {"answer_tokens": ANSWER_TOKENS}
        task = Task.from_dict({**made, **rows, **answers})
        words = [SOURCES[name].words[label] for label in task.labels] if task.labels else []
        return cls(name, seed, task, words, DESCRIPTIONS[name])

    @property
    def instructions(self) -> list[str]:
        """What all tools start from."""
        ending = f"Answer with one of: {', '.join(self.words)}." if self.words else "Write the answer and nothing else."
        return [f"{frame.format(self.description)} {ending}" for frame in _FRAMES]

    @property
    def slots(self) -> str:
        """A row as it is asked, with a slot for each field."""
        return self._asked({name: f"<<{name}>>" for name in self.task.template.fields})

    @property
    def start(self) -> list[dict[str, str]]:
        """The starting prompt's message."""
        return [{"role": "user", "content": f"{self.instructions[0]}\n\n{self.slots}"}]

    def answers(self, split: str) -> list[str]:
        """The label word or the target of each row of a split."""
        rows = self.task.to_dict()[split]
        field = SOURCES[self.name].field
        return [SOURCES[self.name].words[row[field]] if self.words else str(row[field]) for row in rows]

    def brief(self, method: str, base_url: str, limit: int) -> Brief:
        """What a tool is given."""
        rows = self.task.to_dict()
        examples = {
            split: [
                Example(self._asked(row), answer) for row, answer in zip(rows[split], self.answers(split), strict=True)
            ]
            for split in ("train", "dev")
        }
        return Brief(
            method=method,
            base_url=base_url,
            model=MODEL,
            limit=limit,
            seed=self.seed,
            description=self.description,
            instructions=self.instructions,
            words=self.words,
            slots=self.slots,
            task={**rows, "test": []},
            answer_tokens=ANSWER_TOKENS,
            proposal_tokens=PROPOSAL_TOKENS,
            **examples,
        )

    def _asked(self, row: Mapping[str, Any]) -> str:
        return self.task.template.sides[0].format(**row).rstrip()
