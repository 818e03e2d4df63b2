"""The grader of readouts: rows are asked for what tells their labels by a fit on rows of known labels (`readout`).

The search goes by a fit on the training rows. Where it has ended, the dev rows have done their part, and what is handed
out is fitted on them too: the test rows are scored so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from blackbox.backends import Backend, BlankStatesBackend, Capability, Prompt, Query, Usage, require
from blackbox.errors import SettingError
from blackbox.graders import Graded, Grader, ScoreGrader
from blackbox.row_answers import LabelScores
from blackbox.split import Split, shown_rows
from blackbox.verbalizers.named_readouts import READOUTS
from blackbox.verbalizers.readout import FloatArray, LabelArray, Readout


@dataclass(frozen=True)
class ReadoutGrader(ScoreGrader):
    """Asks the rows that the readout of each prompt is fitted on, and the rows of a split, if they are others.

    Attributes:
        train, dev: the rows that are fitted on, those of `dev` where neither they nor those of `train` are scored.
        kind: of the readout.
    """

    train: Split
    dev: Split
    kind: type[Readout]

    def ask(self, backend: Backend, prompts: Sequence[Prompt], split: Split) -> list[Graded]:
        own = split.source == "train"
        known, labels = self._known(prompts[0], with_dev=split.source not in ("train", "dev"))
        told, usages = _vectors(backend, prompts, known if own else (*known, *split.queries), self.kind)
        graded = list[Graded]()
        for prompt, vectors, usage in zip(prompts, told, usages, strict=True):
            fitted = self._fitted_on(prompt, labels)
            rows, kept = vectors[fitted], labels[fitted]
            readout = self._fit(rows, kept)
            if own:
                places = _places(split, [known[row] for row in fitted], kept)
                scores = readout.of_training_rows(rows, kept, places)
            else:
                scores = readout.log_probabilities(vectors[len(known) :])
            graded.append((self.answers(scores, split), usage))
        return graded

    def readout(self, backend: Backend, prompt: Prompt) -> Readout:
        """What tells the labels behind a prompt, fitted on all rows whose labels are known."""
        known, labels = self._known(prompt, with_dev=True)
        fitted = self._fitted_on(prompt, labels)
        return self._fit(_vectors(backend, [prompt], known, self.kind)[0][0][fitted], labels[fitted])

    def _known(self, prompt: Prompt, *, with_dev: bool) -> tuple[tuple[Query, ...], LabelArray]:
        """The rows whose labels are known, in the form of a prompt, those of `train` first, and their labels."""
        splits = [split.in_form_of(prompt) for split in (self.train, self.dev)[: 1 + with_dev]]
        return sum((split.queries for split in splits), ()), np.concatenate([split.labels for split in splits])

    def _fitted_on(self, prompt: Prompt, labels: LabelArray) -> LabelArray:
        """The numbers of the known rows but for those that a prompt shows; of all, where it shows all of a label."""
        shown = shown_rows(prompt, self.train)
        kept = np.array([row for row in range(len(labels)) if row not in shown], dtype=np.int64)
        return kept if len(set(labels[kept])) == len(self.train.form.blank.labels) else np.arange(len(labels))

    def _fit(self, vectors: FloatArray, labels: LabelArray) -> Readout:
        return self.kind.of(vectors, labels, len(self.train.form.blank.labels))


def readout_grader(grader: Grader, train: Split, dev: Split, name: str) -> ReadoutGrader:
    """The grader of a kind of readout, by its name, with the loss and the metric of another.

    Raises:
        SettingError: the task has targets, numbers or tags.
    """
    if not isinstance(grader, ScoreGrader) or not train.form.blank.labels:
        raise SettingError("readouts tell labels; the task has targets, numbers or tags")
    kind, terms = READOUTS[name], {**grader.terms, "verbalizer": name}
    return ReadoutGrader(kind.reads, terms, grader.loss, grader.metric, train, dev, kind)


def log_probabilities(backend: Backend, prompt: Prompt, queries: Sequence[Query], readout: Readout) -> FloatArray:
    """Of the labels behind a prompt whose readout is known, nats, shape (n_queries, n_labels)."""
    return readout.log_probabilities(_vectors(backend, [prompt], queries, type(readout))[0][0])


def answers_of(grader: Grader, scores: FloatArray, split: Split) -> LabelScores:
    """Scores of shape (n_rows, n_labels) as the answers to the rows of a split."""
    nothing = grader.nothing()
    if not isinstance(nothing, LabelScores):
        raise SettingError("a readout answers rows with labels")
    return replace(nothing, log_probabilities=scores, right=split.labels)


def _vectors(
    backend: Backend, prompts: Sequence[Prompt], queries: Sequence[Query], kind: type[Readout]
) -> tuple[FloatArray, Sequence[Usage]]:
    """What a kind of readout reads of each row behind each prompt, shape (n_prompts, n_queries, width), and its cost.

    Raises:
        UnsupportedPromptError: the backend does not show it.
    """
    if kind.reads is Capability.LABEL_SCORES:
        scores = backend.score(prompts, queries)
        return scores.log_probabilities, scores.usages
    require(backend, Capability.STATES)
    if not isinstance(backend, BlankStatesBackend):
        raise SettingError(f"backend {backend.name!r} says that it shows states but is no BlankStatesBackend")
    states = backend.blank_states(prompts, queries)
    return states.vectors, states.usages


def _places(split: Split, known: Sequence[Query], labels: LabelArray) -> LabelArray:
    """Where some training rows stand among the known ones; of equal ones the first."""
    places: dict[tuple[Query, int], int] = {}
    for place, row in enumerate(zip(known, labels.tolist(), strict=True)):
        places.setdefault(row, place)
    return np.array([places[row] for row in zip(split.queries, split.labels.tolist(), strict=True)], dtype=np.int64)
