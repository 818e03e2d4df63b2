"""The grader of readouts: rows are asked for their hidden states, and these tell the labels (`readout`)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from blackbox.backends import Backend, BlankStatesBackend, Capability, Prompt, Query, require
from blackbox.errors import SettingError
from blackbox.graders import Graded, Grader, ScoreGrader
from blackbox.row_answers import LabelScores
from blackbox.split import Split
from blackbox.verbalizers.named_readouts import READOUTS
from blackbox.verbalizers.readout import Readout


@dataclass(frozen=True)
class ReadoutGrader(ScoreGrader):
    """Asks the training rows of each prompt for their states, and the rows of a split, if it is another.

    Attributes:
        train: the training rows.
        kind: of the readout.
    """

    train: Split
    kind: type[Readout]

    def ask(self, backend: Backend, prompts: Sequence[Prompt], split: Split) -> list[Graded]:
        train = self.train.in_form_of(prompts[0])
        own = split.name == train.name
        queries = train.queries if own else (*train.queries, *split.queries)
        answer = _showing(backend).blank_states(prompts, queries)
        rows = _rows_of(split, train) if own else None
        return [
            (self.answers(self._scores(vectors, train, rows), split), usage)
            for vectors, usage in zip(answer.vectors, answer.usages, strict=True)
        ]

    def readout(self, backend: Backend, prompt: Prompt) -> Readout:
        """What tells the labels behind a prompt."""
        train = self.train.in_form_of(prompt)
        [vectors] = _showing(backend).blank_states([prompt], train.queries).vectors
        return self._fitted(vectors, train)

    def _scores(
        self, vectors: npt.NDArray[np.float64], train: Split, rows: npt.NDArray[np.int64] | None
    ) -> npt.NDArray[np.float64]:
        known, others = vectors[: len(train)], vectors[len(train) :]
        readout = self._fitted(known, train)
        if rows is None:
            return readout.log_probabilities(others)
        return readout.of_training_rows(known, train.labels, rows)

    def _fitted(self, vectors: npt.NDArray[np.float64], train: Split) -> Readout:
        return self.kind.of(vectors, train.labels, len(train.form.blank.labels))


def readout_grader(grader: Grader, train: Split, name: str) -> ReadoutGrader:
    """The grader of a kind of readout, by its name, with the loss and the metric of another.

    Raises:
        SettingError: the task has targets, numbers or tags.
    """
    if not isinstance(grader, ScoreGrader) or not train.form.blank.labels:
        raise SettingError("readouts of hidden states tell labels; the task has targets, numbers or tags")
    terms = {**grader.terms, "verbalizer": name}
    return ReadoutGrader(Capability.STATES, terms, grader.loss, grader.metric, train, READOUTS[name])


def log_probabilities(
    backend: Backend, prompt: Prompt, queries: Sequence[Query], readout: Readout
) -> npt.NDArray[np.float64]:
    """Of the labels behind a prompt whose readout is known, nats, shape (n_queries, n_labels)."""
    return readout.log_probabilities(_showing(backend).blank_states([prompt], queries).vectors[0])


def answers_of(grader: Grader, scores: npt.NDArray[np.float64], split: Split) -> LabelScores:
    """Scores of shape (n_rows, n_labels) as the answers to the rows of a split."""
    nothing = grader.nothing()
    if not isinstance(nothing, LabelScores):
        raise SettingError("a readout answers rows with labels")
    return replace(nothing, log_probabilities=scores, right=split.labels)


def _showing(backend: Backend) -> BlankStatesBackend:
    require(backend, Capability.STATES)
    if not isinstance(backend, BlankStatesBackend):
        raise SettingError(f"backend {backend.name!r} says that it shows states but is no BlankStatesBackend")
    return backend


def _rows_of(split: Split, train: Split) -> npt.NDArray[np.int64]:
    """The numbers of some training rows; of equal ones the first."""
    numbers: dict[tuple[Query, int], int] = {}
    for number, row in enumerate(zip(train.queries, train.labels.tolist(), strict=True)):
        numbers.setdefault(row, number)
    return np.array([numbers[row] for row in zip(split.queries, split.labels.tolist(), strict=True)], dtype=np.int64)
