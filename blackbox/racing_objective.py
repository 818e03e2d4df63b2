"""An objective whose candidates race on the training rows: the calls of those that are behind are saved."""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from blackbox.asking import Asked
from blackbox.backends import Usage
from blackbox.objective import Objective
from blackbox.outcome import Outcome, outcome_of, shown_in
from blackbox.racing import RaceResult, RaceRules, race
from blackbox.scorer import Contenders, Scorer, some_of
from blackbox.split import Split

log = logging.getLogger(__name__)

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RacingObjective(Objective):
    """Candidates of one call race against each other, so a generation must come in one call; see `racing`.

    A candidate has the figures of the rows that it met, and a loss behind all that are better by the race. One that was
    set aside, for want of answers, has failed. Rows that a candidate's prompt shows are not asked. Other splits than
    the training rows are scored whole, and so is the only prompt of a call. A prompt that is known from an earlier race
    does not race again: it has the outcome that it had there.

    Where the budget ends a race once all have met the first rows, what was paid counts: the outcomes are those of the
    race so far, and the next call that does not fit raises the `SpentError`. A run that is resumed has the answers paid
    for before, and meets the refusal at the same call; but if it was killed before the outcomes were written down and
    rows had failed in this race, these are asked again, and what they cost more may end the race a look earlier.

    Attributes:
        seed: of the order of the rows.
        rules: of the races.
    """

    seed: int = 0
    rules: RaceRules = field(default_factory=RaceRules)

    whole = True

    def score(self, contenders: Contenders, split: Split) -> list[Outcome]:
        """See `Objective`.

        Raises:
            SpentError: the budget ends before all candidates have met the first rows of a race, or the rows of a split.
        """
        if split is not self.task.train or len(contenders) < 2:
            return super().score(contenders, split)
        track = _Track(self, contenders, split)
        result = race(
            track.losses,
            len(contenders),
            n_rows=len(split),
            rules=self.rules,
            seed=self.seed,
            labels=split.labels.tolist(),
            exempt=dict(enumerate(track.shown)),
        )
        log.info("race of %d prompts: %s", len(contenders), result)
        return ranked([track.outcome(number) for number in range(len(contenders))], result)


class _Track:
    """What was asked so far, contender by contender."""

    def __init__(self, objective: RacingObjective, contenders: Contenders, split: Split) -> None:
        self._objective, self._contenders, self._split = objective, contenders, split
        self._asked = [Asked((), objective.task.grader.nothing(), Usage())] * len(contenders)
        self._prompts = [None] * len(contenders) if isinstance(contenders, np.ndarray) else contenders
        self.shown = shown_in(objective.task, self._prompts, split)

    def losses(self, numbers: Sequence[int], rows: Sequence[int]) -> FloatArray:
        """Of some contenders on some rows, shape (n_contenders, n_rows); NaN where there is no answer."""
        job = partial(Scorer.ask, split=self._split.name, rows=tuple(rows))
        asked = self._objective.in_slices(job, some_of(self._contenders, numbers))
        for number, one in zip(numbers, asked, strict=True):
            self._asked[number] = self._asked[number].joined(one)
        return np.array([one.answers.losses for one in asked])

    def outcome(self, number: int) -> Outcome:
        """Of a contender on the rows that it met."""
        return outcome_of(
            self._asked[number], self._prompts[number], n_rows=len(self._split), shown=len(self.shown[number])
        )


def ranked(outcomes: Sequence[Outcome], result: RaceResult) -> list[Outcome]:
    """Outcomes with losses in the order of the race: one that is lower than a better candidate's comes just behind."""
    losses, worst = [math.inf] * len(outcomes), -math.inf
    for candidate in result.ranking:
        worst = max(outcomes[candidate].loss, math.nextafter(worst, math.inf))
        losses[candidate] = worst
    return [replace(outcome, loss=loss) for outcome, loss in zip(outcomes, losses, strict=True)]
