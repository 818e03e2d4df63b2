"""Elites: the best candidates of a generation, scored again where the losses are exact.

In bfloat16 or float16 a forward pass takes less time and losses are not exact: the lowest of a generation is often the
one with the luckiest rounding, and a search that keeps the lowest loss it was ever told keeps luck. So the search goes
by a fast backend, and whatever may become its best is scored by one of the same model in float32.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from blackbox.backends import Backend
from blackbox.objective import Objective
from blackbox.outcome import Outcome
from blackbox.scorer import Contenders, Scorer, some_of
from blackbox.split import Split


@dataclass(frozen=True)
class ElitesObjective(Objective):
    """An objective with two backends of one model; `backend` is the fast one.

    Candidates of one call are ranked against each other, so a generation must come in one call. Its `elites` best by
    the fast losses (fewest unanswered rows first) get the outcomes of the exact backend. The others keep the fast
    losses, all raised by the same amount where the lowest of them would not stand behind the worst elite: their order
    and their distances stay, and none can become the best of the search, which is thus an exact loss always. As many
    candidates as there are elites, or fewer (a look at the dev rows, the start), are scored by the exact backend only.
    """

    exact: Backend
    elites: int

    whole = True

    @property
    def scorer(self) -> Scorer:
        return replace(super().scorer, exact=self.exact)

    def score(self, contenders: Contenders, split: Split) -> list[Outcome]:
        """See `Objective`; the usage of an elite is that of both backends."""
        exactly = partial(Scorer.score, split=split.source, rows=split.numbers, exactly=True)
        if len(contenders) <= self.elites:
            return self.in_slices(exactly, contenders)
        fast = super().score(contenders, split)
        best = sorted(_ranked(fast)[: self.elites])
        again = self.in_slices(exactly, some_of(contenders, best))
        return merged(fast, dict(zip(best, again, strict=True)))


def merged(fast: Sequence[Outcome], exact: dict[int, Outcome]) -> list[Outcome]:
    """Outcomes in which every candidate with an exact outcome stands before all others.

    An exact outcome without any answer bounds nothing. A candidate that no exact outcome with as few unanswered rows
    stands before has failed, so that a search that passes over prompts with unanswered rows cannot be left with it.

    Args:
        fast: the outcomes of n candidates.
        exact: number of a candidate -> its exact outcome.
    """
    answered = [outcome for outcome in exact.values() if math.isfinite(outcome.loss)]
    worst = max((outcome.loss for outcome in answered), default=math.inf)
    fewest = min((outcome.failed_rows for outcome in answered), default=math.inf)
    lowest = min((outcome.loss for number, outcome in enumerate(fast) if number not in exact), default=math.inf)
    raised_by = max(worst - lowest, 0.0) if math.isfinite(lowest) else 0.0

    def one(number: int, outcome: Outcome) -> Outcome:
        if number in exact:
            return replace(exact[number], usage=outcome.usage + exact[number].usage)
        behind = max(outcome.loss + raised_by, math.nextafter(worst, math.inf))
        return replace(outcome, loss=behind if outcome.failed_rows >= fewest else math.inf)

    return [one(number, outcome) for number, outcome in enumerate(fast)]


def _ranked(outcomes: Sequence[Outcome]) -> list[int]:
    """Numbers of the candidates, the best first, the earlier one of equals."""
    return sorted(range(len(outcomes)), key=lambda number: (outcomes[number].failed_rows, outcomes[number].loss))
