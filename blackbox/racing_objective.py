"""An objective whose candidates race on the training rows: the calls of those that are behind are saved."""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from blackbox.asking import Asked, ask
from blackbox.backends import Prompt, Usage
from blackbox.objective import Objective, Outcome, outcome_of, shown_in
from blackbox.racing import RaceResult, RaceRules, race
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

    def score(self, prompts: Sequence[Prompt], split: Split) -> list[Outcome]:
        """See `Objective`.

        Raises:
            SpentError: the budget ends before all candidates have met the first rows of a race, or the rows of a split.
        """
        if split is not self.task.train or len(prompts) < 2:
            return super().score(prompts, split)
        track = _Track(self, prompts, split)
        result = race(
            track.losses,
            len(prompts),
            n_rows=len(split),
            rules=self.rules,
            seed=self.seed,
            labels=split.labels.tolist(),
            exempt=dict(enumerate(track.shown)),
        )
        log.info("race of %d prompts: %s", len(prompts), result)
        return ranked([track.outcome(number) for number in range(len(prompts))], result)


class _Track:
    """What was asked so far, candidate by candidate."""

    def __init__(self, objective: RacingObjective, prompts: Sequence[Prompt], split: Split) -> None:
        self._objective, self._prompts, self._split = objective, prompts, split
        self._asked = [Asked((), objective.task.grader.nothing(), Usage())] * len(prompts)
        self.shown = shown_in(objective.task, prompts, split)

    def losses(self, candidates: Sequence[int], rows: Sequence[int]) -> FloatArray:
        """Of some candidates on some rows, shape (n_candidates, n_rows); NaN where there is no answer."""
        prompts = [self._prompts[number] for number in candidates]
        objective = self._objective
        asked = ask(objective.backend, objective.task.grader, prompts, self._split, [rows] * len(prompts))
        for number, one in zip(candidates, asked, strict=True):
            self._asked[number] = self._asked[number].joined(one)
        return np.array([one.answers.losses for one in asked])

    def outcome(self, number: int) -> Outcome:
        """Of a candidate on the rows that it met."""
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
