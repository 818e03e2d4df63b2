"""An objective whose candidates race on the training rows: the calls of those that are behind are saved."""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from blackbox.backends import Prompt, Usage
from blackbox.objective import Objective, Outcome, outcome_of, score_prompts
from blackbox.racing import RaceResult, RaceRules, race
from blackbox.task import Split, Task

log = logging.getLogger(__name__)

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RacingObjective(Objective):
    """Candidates of one call race against each other, so a generation must come in one call; see `racing`.

    A candidate has the figures of the rows that it met, and a loss behind all that are better by the race. One that was
    set aside, for want of answers, has failed. Other splits than the training rows are scored whole.

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

    def __call__(self, candidates: npt.NDArray[np.float64], split: Split) -> list[Outcome]:
        """See `Objective`.

        Raises:
            SpentError: the budget ends before all candidates have met the first rows of a race, or the rows of a split.
        """
        prompts = self.space.decode(candidates)
        if split is not self.task.train or len(prompts) < 2:
            return score_prompts(self.backend, self.task, prompts, split)
        track = _Track(self, prompts, split)
        labels = split.labels.tolist()
        result = race(track.losses, len(prompts), n_rows=len(split), rules=self.rules, seed=self.seed, labels=labels)
        log.info("race of %d prompts: %s", len(prompts), result)
        return ranked([track.outcome(number) for number in range(len(prompts))], result)


class _Track:
    """What was asked so far, row by row."""

    def __init__(self, objective: RacingObjective, prompts: Sequence[Prompt], split: Split) -> None:
        self._objective, self._prompts, self._split = objective, prompts, split
        n_options = len(split.queries[0].options)
        self._scores = np.full((len(prompts), len(split), n_options), np.nan)
        self._met = np.zeros((len(prompts), len(split)), dtype=bool)
        self._usages = [Usage()] * len(prompts)

    def losses(self, candidates: Sequence[int], rows: Sequence[int]) -> FloatArray:
        """Of some candidates on some rows, shape (n_candidates, n_rows); NaN where there is no answer."""
        prompts = [self._prompts[number] for number in candidates]
        scores = self._objective.backend.score(prompts, [self._split.queries[row] for row in rows])
        place = np.ix_(list(candidates), list(rows))
        self._scores[place], self._met[place] = scores.log_probabilities, True
        for number, usage in zip(candidates, scores.usages, strict=True):
            self._usages[number] += usage
        return self._task.loss.of_rows(scores.log_probabilities, self._split.labels[list(rows)])

    def outcome(self, number: int) -> Outcome:
        """Of a candidate on the rows that it met."""
        met = self._met[number]
        return outcome_of(self._task, self._scores[number, met], self._split.labels[met], self._usages[number])

    @property
    def _task(self) -> Task:
        return self._objective.task


def ranked(outcomes: Sequence[Outcome], result: RaceResult) -> list[Outcome]:
    """Outcomes with losses in the order of the race: one that is lower than a better candidate's comes just behind."""
    losses, worst = [math.inf] * len(outcomes), -math.inf
    for candidate in result.ranking:
        worst = max(outcomes[candidate].loss, math.nextafter(worst, math.inf))
        losses[candidate] = worst
    return [replace(outcome, loss=loss) for outcome, loss in zip(outcomes, losses, strict=True)]
