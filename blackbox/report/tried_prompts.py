"""The text prompts that a run has tried, for people to look through."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from blackbox.evaluation import Evaluation
from blackbox.figures import Figure
from blackbox.text_prompts import prompt_from_dict

MOST = 300
"""Prompts that a page shows."""


@dataclass(frozen=True)
class TriedPrompt:
    """A prompt and how it did.

    Attributes:
        generation: in which it was first asked; 0 for the start.
        loss: on the training rows that it met, the lowest where it was asked more than once.
        rows: those that it met.
        dev: its figure on the dev rows, if it was looked at.
        text: of the prompt; "" where it says nothing.
        shown: the rows that it shows with their answers.
        form: how it writes the rows, where that is not the task's own way.
        selected: whether it is the run's prompt.
    """

    generation: int
    loss: float
    rows: int
    dev: Figure | None
    text: str
    shown: tuple[str, ...]
    form: str
    selected: bool


def tried_prompts(history: Sequence[Evaluation], selected: str | None) -> list[TriedPrompt]:
    """The prompts of a history, those that were looked at first, then by their loss; `selected` is a digest."""
    looks = {one.candidate: one.figure for one in history if one.split == "dev"}
    lowest: dict[str, Evaluation] = {}
    for one in history:
        if one.split == "train" and one.prompt is not None:
            known = lowest.setdefault(one.candidate, one)
            lowest[one.candidate] = min(known, one, key=lambda found: (found.loss, found.number))
    found = [_tried(one, looks.get(one.candidate), one.candidate == selected) for one in lowest.values()]
    found.sort(key=lambda one: (not one.selected, one.dev.rank if one.dev else math.inf, one.loss))
    return found[:MOST]


def _tried(one: Evaluation, dev: Figure | None, selected: bool) -> TriedPrompt:
    prompt = prompt_from_dict(one.prompt or {"text": ""})
    form: Mapping[str, Any] = {
        "rows": prompt.template,
        "labels": ", ".join(prompt.label_words or ()),
        "role": prompt.role if prompt.role != "user" else None,
    }
    return TriedPrompt(
        generation=one.generation,
        loss=one.loss,
        rows=one.rows - one.failed_rows,
        dev=dev,
        text=prompt.text.strip(),
        shown=tuple(shown.whole for shown in prompt.demonstrations),
        form="; ".join(f"{what}: {how!r}" for what, how in form.items() if how),
        selected=selected,
    )
