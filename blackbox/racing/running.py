"""The race: all candidates meet the first rows, then the likeliest to lead meet the next ones, until one surely leads.

Who is likely to lead over all rows is asked anew after each look (`standing`), so that a candidate that fell behind by
bad luck on the first rows comes back where those ahead of it fall. To go on with those that the next rows may decide
between, and not with all that may still win, is the idea of top-two sampling (Russo 2020, doi:10.1287/opre.2019.1911).
A missing answer changes no ranking: what is compared is differences on rows that both have, and a candidate with too
few answers is not compared, but waited for.

Fresh rows, which the search has not used, correct the winner's curse: the mean loss of the best of many is too low on
the rows that chose it. Several finalists decide it on half of the fresh rows, together with the race's (for candidates
that are alike beforehand, the likelihood of all rows is all there is to know, however they were picked); the other half
is asked for the winner only, and its figure there, which no choice has seen, is unbiased. A single finalist gets all.
"""

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from blackbox.backends.errors import SpentError
from blackbox.errors import SettingError
from blackbox.metrics import mean_interval
from blackbox.racing.answers import Answers, Score
from blackbox.racing.order import row_order
from blackbox.racing.result import FreshFigure, RaceResult, SetAside
from blackbox.racing.rules import RaceRules
from blackbox.racing.standing import FloatArray, lead_probabilities, predicted, standing

_LUCK = 2.0
"""Standard deviations by which a candidate may fall short of the answers asked for before its patience is drawn on."""


def race(
    score: Score,
    n_candidates: int,
    *,
    n_rows: int,
    rules: RaceRules | None = None,
    seed: int = 0,
    labels: Sequence[int] | None = None,
    fresh_rows: Sequence[int] = (),
    exempt: Mapping[int, Collection[int]] | None = None,
) -> RaceResult:
    """Races candidates 0 to n_candidates - 1 over rows 0 to n_rows - 1.

    Deterministic: the same answers and seed give the same calls in the same order, and the same result. Where `score`
    raises a `SpentError` once all have met the first rows, the race ends with the ranking of the last look.

    Args:
        score: see `Score`.
        n_candidates, n_rows: at least one each.
        rules: the defaults, where None.
        seed: of the order of the rows.
        labels: one a row of the race; the rows are met in an order that is balanced over them.
        fresh_rows: further rows, which `score` knows by these numbers; empty for a race without them.
        exempt: candidate -> rows of the race that it is never asked, since its answer to them says nothing. They do not
            count among the rows that it met and are not missing; one that is exempt from all rows is set aside.

    Raises:
        SettingError: no candidate, no row, a fresh row that is one of the race or stands twice, or an exempt row that
            is none of it.
        DataError: not one label a row, or losses of another shape or infinite.
        SpentError: the budget ends before all have met the first rows.
    """
    if n_candidates < 1 or n_rows < 1:
        raise SettingError(f"a race needs a candidate and a row, got n_candidates={n_candidates}, n_rows={n_rows}")
    fresh = list(fresh_rows)
    if len(set(fresh)) < len(fresh) or any(0 <= row < n_rows for row in fresh):
        raise SettingError(f"fresh_rows must be different rows and none of the race's 0 to {n_rows - 1}, got {fresh}")
    shuffled = [fresh[place] for place in row_order(len(fresh), labels=None, seed=seed)]
    of_fresh = Answers(lambda who, rows: score(who, [shuffled[row] for row in rows]), n_candidates, len(fresh))
    run = _Race(
        Answers(score, n_candidates, n_rows, exempt),
        of_fresh,
        rules or RaceRules(),
        row_order(n_rows, labels=labels, seed=seed),
    )
    try:
        while run.goes_on():
            run.look()
        return run.decided()
    except SpentError as error:
        if not run.looks:
            raise
        return run.result(ended=error.limit)


class _Race:
    def __init__(self, answers: Answers, of_fresh: Answers, rules: RaceRules, order: list[int]) -> None:
        self.answers, self.of_fresh, self.rules, self.order = answers, of_fresh, rules, order
        self.n_candidates, self.n_rows = answers.losses.shape
        # how far in the order each candidate has come, after each look at it
        self.mets: list[list[int]] = [[0] for _ in range(self.n_candidates)]
        self.waiting: set[int] = set()  # those with too few answers to be compared
        self.waited = [0] * self.n_candidates
        self.set_aside: list[SetAside] = []
        self.looks = 0
        self.ranked: list[int] = list(range(self.n_candidates))  # those that are compared, the best first
        self.leads: list[float] = []  # their probabilities to lead over all rows
        self._set_aside([candidate for candidate in self.ranked if not answers.open[candidate].any()])
        self.ranked = self._compared()

    def goes_on(self) -> bool:
        """Until one leads surely enough or the likeliest have met all rows; while one is waited for in any case."""
        if not self.looks or self.waiting:
            return True
        return bool(self._next()) and max(self.leads) < 1 - self.rules.risk

    def look(self) -> None:
        """The next rows of the likeliest to lead and of those waited for. Where asking raises, nothing has changed."""
        step = self.rules.block_rows if self.looks else self.rules.first_rows
        asked = sorted({*self._next(), *self.waiting})
        until = {candidate: min(self._met(candidate) + step, self.n_rows) for candidate in asked}
        since = {candidate: self._since(candidate) for candidate in asked}
        wanted = {candidate: self.order[since[candidate] : until[candidate]] for candidate in asked}
        self.answers.ask(wanted, times=self.rules.asks)
        for candidate, met in until.items():
            self.mets[candidate].append(met)
        self.looks += 1
        self._see_who_waits()
        self._rank(self._compared())

    def decided(self) -> RaceResult:
        """The end of the race, by the fresh rows where there are any."""
        n_fresh = self.of_fresh.losses.shape[1]
        if not n_fresh or not self.ranked:
            return self.result()
        self._rank(self.ranked, deciding=n_fresh // 2)
        finalists = self._finalists()
        deciding = n_fresh // 2 if len(finalists) > 1 else 0
        self.of_fresh.ask(dict.fromkeys(finalists, range(deciding)), times=self.rules.asks)
        others = self.ranked[len(finalists) :], self.leads[len(finalists) :]
        if deciding:
            self._rank(finalists, deciding=deciding)
            self.ranked, self.leads = self.ranked + others[0], self.leads + others[1]
        self.of_fresh.ask({self.ranked[0]: range(deciding, n_fresh)}, times=self.rules.asks)
        return self.result(tuple(finalists), _figure(self.of_fresh.losses[self.ranked[0], deciding:]))

    def result(
        self, finalists: tuple[int, ...] = (), fresh: FreshFigure | None = None, *, ended: str | None = None
    ) -> RaceResult:
        """As the race stands; whoever is still waited for is set aside."""
        self._set_aside(sorted(self.waiting))
        return RaceResult(
            winner=self.ranked[0] if self.ranked else None,
            ranking=tuple(self.ranked),
            probabilities=tuple(self.leads),
            rows=tuple(self._asked(candidate) for candidate in range(self.n_candidates)),
            calls=self.answers.calls,
            asked_again=self.answers.asked_again + self.of_fresh.asked_again,
            full_calls=int(self.answers.open.sum()),
            set_aside=tuple(self.set_aside),
            finalists=finalists,
            fresh=fresh,
            fresh_calls=self.of_fresh.calls,
            ended=ended,
        )

    def _next(self) -> list[int]:
        """Who meets the next rows: all the first, then the likeliest to lead that have rows left."""
        if not self.looks:
            return self.ranked
        places = sorted(range(len(self.ranked)), key=lambda place: -self.leads[place])[: self.rules.finalists]
        return [self.ranked[place] for place in places if self._met(self.ranked[place]) < self.n_rows]

    def _compared(self) -> list[int]:
        gone = self.waiting | {aside.candidate for aside in self.set_aside}
        return [candidate for candidate in range(self.n_candidates) if candidate not in gone]

    def _met(self, candidate: int) -> int:
        return self.mets[candidate][-1]

    def _asked(self, candidate: int) -> int:
        """Rows that it met, without those that it is exempt from."""
        return int(self.answers.open[candidate, self.order[: self._met(candidate)]].sum())

    def _since(self, candidate: int) -> int:
        """Where its next questions begin: of one that is waited for, rows missed a while ago are asked again."""
        return (
            self.mets[candidate][-1 - self.rules.patience :][0] if candidate in self.waiting else self._met(candidate)
        )

    def _see_who_waits(self) -> None:
        """Those with answers enough for the rows that they met are compared; the others wait, or are set aside."""
        gone = {aside.candidate for aside in self.set_aside}
        answered = {
            candidate: self._answered(candidate) for candidate in range(self.n_candidates) if candidate not in gone
        }
        most = max((rows / max(self._asked(candidate), 1) for candidate, rows in answered.items()), default=0.0)
        share = self.rules.least_share
        for candidate, rows in answered.items():
            met = self._asked(candidate)
            least = min(self.rules.least_rows, int(self.answers.open[candidate].sum()))
            if rows >= max(least, share * most * met):
                self.waiting.discard(candidate)
                self.waited[candidate] = 0
                continue
            self.waiting.add(candidate)
            enough = max(min(least, met), share * most * met)  # nobody is blamed for rows that it is exempt from
            by_luck = enough - _LUCK * math.sqrt(share * (1 - share) * most * met)
            self.waited[candidate] += rows < by_luck or self._met(candidate) == self.n_rows
        self._set_aside([candidate for candidate in answered if self.waited[candidate] > self.rules.patience])

    def _answered(self, candidate: int) -> int:
        return int((~np.isnan(self.answers.losses[candidate])).sum())

    def _set_aside(self, candidates: Sequence[int]) -> None:
        for candidate in candidates:
            self.set_aside.append(SetAside(candidate, self._asked(candidate), self._answered(candidate)))
            self.waiting.discard(candidate)

    def _rank(self, candidates: list[int], *, deciding: int = 0) -> None:
        """By the mean to be expected over all rows and so many fresh ones; of equals the one with the lower number."""
        losses = np.concatenate([self.answers.losses, self.of_fresh.losses[:, :deciding]], axis=1)[candidates]
        if len(candidates) < 2:
            self.ranked, self.leads = candidates, [1.0] * len(candidates)
            return
        means, covariances = predicted(losses, standing(losses), spread=self.rules.spread)
        lead = lead_probabilities(means, covariances)
        places = sorted(range(len(candidates)), key=lambda place: (means[place], candidates[place]))
        self.ranked, self.leads = [candidates[place] for place in places], [float(lead[place]) for place in places]

    def _finalists(self) -> list[int]:
        """As few as hold the leader surely enough."""
        enough = int(np.searchsorted(np.cumsum(self.leads), 1 - self.rules.risk)) + 1
        return self.ranked[: min(enough, self.rules.finalists)]


def _figure(losses: FloatArray) -> FreshFigure | None:
    there = losses[~np.isnan(losses)]
    if not len(there):
        return None
    return FreshFigure(float(there.mean()), *mean_interval(there), len(there))
