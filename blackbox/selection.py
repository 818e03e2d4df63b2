"""Selection: which of the candidates becomes the prompt.

The search goes by the training loss; the best candidate of a generation, where it improves on all before, is looked at
once on the dev rows, and the one with the best dev metric is selected, ties broken by the lower dev loss (few rows make
many ties); where the task has no metric, the one with the lowest dev loss. Without dev rows the lowest training loss is
selected. The starting prompt takes part; one that is a text gives way only to one that is clearly better on dev:
somebody wrote it, the search looks at some ten others, and on few rows the best of ten is better by luck.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blackbox.evaluation import Evaluation
from blackbox.figures import is_clearly_better


@dataclass(frozen=True, eq=False)
class Choice:
    """A candidate, shape (dimension,), with the evaluation that speaks for it."""

    candidate: npt.NDArray[np.float64]
    evaluation: Evaluation

    def to_dict(self) -> dict[str, object]:
        """JSON values; `from_dict` makes the choice again."""
        return {"candidate": self.candidate.tolist(), "evaluation": self.evaluation.to_dict()}

    @classmethod
    def from_dict(cls, values: dict[str, object]) -> "Choice":
        """The choice that `to_dict` wrote."""
        return cls(np.array(values["candidate"]), Evaluation.from_dict(values["evaluation"]))  # type: ignore[arg-type]


class Selection:
    """Keeps the best candidate on the training rows and the best on the dev rows.

    Args:
        keeps_looks: keep what was looked at on the dev rows.
        most_looks: how many of them, the best; None keeps all.

    Attributes:
        train: the best.
        dev: what is selected.
        start: the first look, the starting prompt's.
        looks: what was looked at, if it is kept: all, in order, or the best, the best first.
    """

    def __init__(self, *, keeps_looks: bool = False, most_looks: int | None = None) -> None:
        self.train: Choice | None = None
        self.dev: Choice | None = None
        self.start: Choice | None = None
        self.looks: list[Choice] = []
        self._keeps_looks, self._most_looks = keeps_looks, most_looks

    @property
    def chosen(self) -> Choice | None:
        """What the search has to show for itself so far."""
        return self.dev or self.train

    def consider_train(self, choice: Choice) -> bool:
        """Take note of a training evaluation; whether it is the lowest loss so far."""
        if self.train is not None and not choice.evaluation.loss < self.train.evaluation.loss:
            return False
        self.train = choice
        return True

    def consider_dev(self, choice: Choice) -> None:
        """Take note of a look at the dev rows."""
        self.start = self.start or choice
        if self.dev is None or self._takes_its_place(choice.evaluation, self.dev.evaluation, self.start.evaluation):
            self.dev = choice
        if self._keeps_looks:
            self.looks.append(choice)
        if self._most_looks is not None:
            self.looks = sorted(self.looks, key=lambda look: dev_rank(look.evaluation))[: self._most_looks]

    def _takes_its_place(self, look: Evaluation, best: Evaluation, start: Evaluation) -> bool:
        of_texts = self.train is not None and self.train.evaluation.prompt is not None
        if of_texts and not outdoes(look, start):
            return False
        return dev_rank(look) < dev_rank(best)

    def state_dict(self) -> dict[str, object]:
        """JSON values."""
        choices = (("train", self.train), ("dev", self.dev), ("start", self.start))
        best = {name: choice and choice.to_dict() for name, choice in choices}
        return {**best, "looks": [look.to_dict() for look in self.looks]} if self._keeps_looks else {**best}

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Go on from what `state_dict` wrote."""
        self.train, self.dev = (_choice(state[name]) for name in ("train", "dev"))
        self.start = _choice(state.get("start", state["dev"]))  # a checkpoint of an earlier version has no start
        looks: list[dict[str, object]] = state.get("looks", [])  # type: ignore[assignment]
        self.looks = [Choice.from_dict(look) for look in looks]


def _choice(values: object) -> Choice | None:
    return Choice.from_dict(values) if values else None  # type: ignore[arg-type]


def dev_rank(evaluation: Evaluation) -> tuple[int, float, float]:
    """What looks at the dev rows are ranked by, the lower the better: the metric, then the loss.

    Rows without an answer first: a figure on fewer rows is no better for it.
    """
    return (evaluation.failed_rows, evaluation.figure.rank if evaluation.figure else np.inf, evaluation.loss)


def outdoes(look: Evaluation, simpler: Evaluation) -> bool:
    """Whether a look at the dev rows speaks clearly against what is simpler: by its figure, or its answered rows."""
    if look.failed_rows != simpler.failed_rows or not (look.figure and simpler.figure):
        return dev_rank(look) < dev_rank(simpler)
    return is_clearly_better(look.figure, simpler.figure)
