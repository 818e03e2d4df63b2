"""The story of a run, told again from its history: what was spent when, and which prompts were improvements."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

import numpy as np

from blackbox.evaluation import Evaluation
from blackbox.selection import Choice, Selection

_NO_CANDIDATE = np.empty(0)  # the selection goes by the evaluation alone


@dataclass(frozen=True)
class Improvement:
    """A prompt with a lower training loss than every prompt of the generations before; the first is the start.

    Attributes:
        spent: evaluations as the budget counts them when it was known, its look at the dev rows included.
        train: its evaluation on the training rows.
        dev: its look at the dev rows; None in a run without dev rows.
        gain: by how much it lowered the training loss; None for the start and after a start without any answer.
        leads: whether it was the selected prompt when it was known.
    """

    spent: int
    train: Evaluation
    dev: Evaluation | None
    gain: float | None
    leads: bool


@dataclass(frozen=True)
class BlockGains:
    """What the search of one block has brought.

    Attributes:
        evaluations: training evaluations spent on it.
        improvements: how many of them became improvements.
        gain: by how much these lowered the training loss, all together.
    """

    block: int
    evaluations: int
    improvements: int
    gain: float


def spent_after(history: Sequence[Evaluation]) -> list[int]:
    """Evaluations spent after each evaluation of the history, as the budget counts them: test rows cost nothing."""
    rows = next((evaluation.rows for evaluation in history if evaluation.split == "train"), 1)
    sampled = accumulate(e.rows if e.split == "sample" else 0 for e in history)
    whole = accumulate(0 if e.split in ("test", "sample") else math.ceil(e.rows / rows) for e in history)
    return [counted + math.ceil(some / rows) for counted, some in zip(whole, sampled, strict=True)]


def find_improvements(history: Sequence[Evaluation]) -> list[Improvement]:
    """The improvements in order, by the rules of `Selection`; of a run with dev rows those that were looked at."""
    spent = dict(zip((evaluation.number for evaluation in history), spent_after(history), strict=True))
    looks = {evaluation.candidate: evaluation for evaluation in history if evaluation.split == "dev"}
    selection, found = Selection(), list[Improvement]()
    for train in _best_of_generations(history):
        before = selection.train
        if not selection.consider_train(Choice(_NO_CANDIDATE, train)):
            continue
        dev = looks.get(train.candidate)
        if looks and dev is None:
            continue  # the run was interrupted before the look
        if dev is not None:
            selection.consider_dev(Choice(_NO_CANDIDATE, dev))
        gain = before.evaluation.loss - train.loss if before and math.isfinite(before.evaluation.loss) else None
        known = dev or train
        leads = selection.chosen is not None and selection.chosen.evaluation is known
        found.append(Improvement(spent[known.number], train, dev, gain, leads))
    return found


def selected(improvements: Sequence[Improvement]) -> Improvement | None:
    """The one whose prompt the run has to show for itself."""
    return next((improvement for improvement in reversed(improvements) if improvement.leads), None)


def block_gains(history: Sequence[Evaluation], improvements: Sequence[Improvement]) -> list[BlockGains]:
    """Gains by block, the starting prompt left out; empty for a search that is not blockwise."""
    searched = [e.block for e in history if e.split in ("train", "sample") and e.block is not None and e.generation]
    later = [improvement for improvement in improvements if improvement.train.generation]
    return [
        BlockGains(block, searched.count(block), len(of_block), math.fsum(found.gain or 0.0 for found in of_block))
        for block in sorted(set(searched))
        for of_block in [[found for found in later if found.train.block == block]]
    ]


def _best_of_generations(history: Sequence[Evaluation]) -> list[Evaluation]:
    training = [evaluation for evaluation in history if evaluation.split == "train"]
    generations = groupby(training, key=lambda evaluation: evaluation.generation)
    return [min(generation, key=lambda evaluation: evaluation.loss) for _, generation in generations]
