"""Finished prompts: what is averaged with a prompt, and what is added to its label scores, wherever it is used."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from blackbox.asking import ask
from blackbox.backends import Backend, Prompt, TextPrompt, Usage
from blackbox.errors import SettingError
from blackbox.finishing.formulas import FloatArray, averaged, calibrated
from blackbox.form import Form, OwnForm, own_form
from blackbox.graders import Grader
from blackbox.row_answers import LabelScores, RowAnswers
from blackbox.split import RawRow, Split
from blackbox.template import Template
from blackbox.text_prompts import prompt_from_dict, prompt_to_dict


@dataclass(frozen=True)
class Finished:
    """What was done to a prompt after the search; nothing by default.

    Attributes:
        members: the prompts whose probabilities are averaged, the prompt itself first; empty without an ensemble.
        offsets: added to the log-probability of each label, nats, in the order of the labels; None without
            calibration.
        templates: each row is asked in all of them, and the probabilities are averaged ("Mind Your Format",
            arXiv 2401.06766); empty: in the prompt's own.
    """

    members: tuple[Prompt, ...] = ()
    offsets: tuple[float, ...] | None = None
    templates: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.members or self.templates) or self.offsets is not None

    def to_dict(self) -> dict[str, object]:
        """JSON values of what there is, but for members that are no texts; `from_dict` makes it again."""
        texts = [prompt_to_dict(member) for member in self.members if isinstance(member, TextPrompt)]
        members = {"members": texts} if texts else {}
        templates = {"templates": list(self.templates)} if self.templates else {}
        return {**members, **templates, **({} if self.offsets is None else {"offsets": list(self.offsets)})}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], *, labels: int, members: tuple[Prompt, ...] = ()) -> "Finished":
        """What `to_dict` wrote, among other values, for a prompt with so many labels; `members` that are no texts.

        Raises:
            TypeError, ValueError: a member is no prompt, a template is none, or the offsets are not one finite number
                for each label.
        """
        offsets = values.get("offsets")
        if offsets is not None and len(offsets) != labels:
            raise ValueError(f"offsets must be one for each of {labels} labels, got {len(offsets)}")
        if offsets is not None and not all(math.isfinite(offset) for offset in offsets):
            raise ValueError(f"offsets must be finite, got {offsets}")
        texts = tuple(prompt_from_dict(member) for member in values.get("members", ()))
        templates = tuple(Template(text).text for text in values.get("templates", ()))
        return cls(members or texts, None if offsets is None else tuple(offsets), templates)

    def in_forms_of(self, form: Form) -> "Finished":
        """The same with members that bring their forms along, and need none of their task's any more."""
        forms = [form.of(member) for member in self.members]
        members = (
            replace(member, template=None if self.templates else own.template.text, label_words=own.blank.choices)
            if isinstance(member, TextPrompt)
            else member
            for member, own in zip(self.members, forms, strict=True)
        )
        return replace(self, members=tuple(members))

    def prompts(self, prompt: Prompt) -> tuple[Prompt, ...]:
        """All that the model is asked behind, for a prompt that was finished so."""
        return self.members or (prompt,)

    def joined(self, asked: FloatArray) -> FloatArray:
        """Log-probabilities of shape (n_rows, n_labels) from those of all asks, (n_asks, n_rows, n_labels)."""
        found = averaged(asked) if self.members or self.templates else asked[0]
        return found if self.offsets is None else calibrated(found, np.array(self.offsets))

    def answers(
        self, backend: Backend, grader: Grader, prompt: Prompt, split: Split, rows: Sequence[int]
    ) -> tuple[LabelScores, Usage]:
        """The answers to some rows of a split, and what they cost; each member is asked in its own form.

        Raises:
            SettingError: the answers are no label scores.
            StoppedError: as of `blackbox.asking.ask`.
        """
        scores, usage = self.all_answers(backend, grader, prompt, split, rows)
        return self.joined_answers(scores), usage

    def all_answers(
        self, backend: Backend, grader: Grader, prompt: Prompt, split: Split, rows: Sequence[int]
    ) -> tuple[list[LabelScores], Usage]:
        """As of `answers`, not averaged: one for each template and in it each member, and what they cost."""
        prompts = self.prompts(prompt)
        splits = [split.within(template) for template in self.templates] or [split]
        asked = [one for each in splits for one in ask(backend, grader, prompts, each, [rows] * len(prompts))]
        return [_label_scores(one.answers) for one in asked], reduce(add, (one.usage for one in asked))

    def joined_answers(self, scores: Sequence[LabelScores]) -> LabelScores:
        """One of several answers to the same rows: see `joined`."""
        found = self.joined(np.array([one.log_probabilities for one in scores]))
        return replace(scores[0], log_probabilities=found)

    def of_templates(self, scores: Sequence[LabelScores]) -> tuple[float | None, ...]:
        """The metric in each template alone, from `all_answers`, without the offsets; None where none was answered."""
        each, members = replace(self, offsets=None), max(1, len(self.members))
        parts = [scores[first : first + members] for first in range(0, len(scores), members)]
        measured = [each.joined_answers(part).measured() for part in parts]
        return tuple(None if one is None else one.value for one in measured)

    def score(self, backend: Backend, prompt: Prompt, rows: Sequence[RawRow], form: Form) -> tuple[FloatArray, Usage]:
        """Log-probabilities of the labels of rows of which nobody knows the right one, shape (n_rows, n_labels).

        Args:
            backend: asked for them.
            prompt: what was finished.
            rows: with the fields of the templates.
            form: in which they are put behind members that have none of their own.

        Raises:
            DataError: a row lacks a field of a template.
        """
        forms = [form.within(template) for template in self.templates] or [form]
        scores = [one for each in forms for one in scored(backend, self.prompts(prompt), rows, each)]
        found = self.joined(np.array([one for one, _ in scores]))
        return found, reduce(add, (usage for _, usage in scores))


AS_FOUND = Finished()
"""Nothing was done."""


def scored(
    backend: Backend, prompts: Sequence[Prompt], rows: Sequence[RawRow], form: Form
) -> list[tuple[FloatArray, Usage]]:
    """Log-probabilities of the labels of rows behind each prompt, and their cost; prompts of one form share a call."""
    alike: dict[OwnForm, list[int]] = {}
    for number, prompt in enumerate(prompts):
        alike.setdefault(own_form(prompt), []).append(number)
    found: dict[int, tuple[FloatArray, Usage]] = {}
    for numbers in alike.values():
        together = [prompts[number] for number in numbers]
        scores = backend.score(together, form.of(together[0]).open_queries(rows, where="rows"))
        found |= dict(zip(numbers, zip(scores.log_probabilities, scores.usages, strict=True), strict=True))
    return [found[number] for number in range(len(prompts))]


def _label_scores(answers: RowAnswers) -> LabelScores:
    if not isinstance(answers, LabelScores):
        raise SettingError("ensembles and calibration need label scores, and the model was asked to write texts")
    return answers
