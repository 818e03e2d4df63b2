"""The race: ask for the next rows, compare, let the hopeless go; then the fresh rows.

Candidates leave by the probability that a full evaluation would find them best (`standing`), and by a schedule that
bounds the calls where all are equal (`RaceRules`). A missing answer changes no ranking: what is compared is differences
on rows that both have, and a candidate with too few answers is not compared, but waited for.

Fresh rows, which the search has not used, correct the winner's curse: the mean loss of the best of many is too low on
the rows that chose it. Several finalists decide it on half of the fresh rows, together with the race's (for candidates
that are alike beforehand, the likelihood of all rows is all there is to know, however they were picked); the other half
is asked for the winner only, and its figure there, which no choice has seen, is unbiased. A single finalist gets all.
"""

import math
from collections.abc import Sequence

import numpy as np

from blackbox.errors import SettingError
from blackbox.metrics import wilson_interval
from blackbox.paired import is_binary, t_interval
from blackbox.racing.answers import Answers, Score
from blackbox.racing.order import row_order
from blackbox.racing.result import FreshFigure, Left, RaceResult, SetAside, Why
from blackbox.racing.rules import RaceRules
from blackbox.racing.standing import FloatArray, lead_probabilities, standing

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
) -> RaceResult:
    """Races candidates 0 to n_candidates - 1 over rows 0 to n_rows - 1.

    Deterministic: the same answers and seed give the same calls in the same order, and the same result.

    Args:
        score: see `Score`.
        n_candidates, n_rows: at least one each.
        rules: the defaults, where None.
        seed: of the order of the rows.
        labels: one a row of the race; the rows are met in an order that is balanced over them.
        fresh_rows: further rows, which `score` knows by these numbers; empty for a race without them.

    Raises:
        SettingError: no candidate, no row, or a fresh row that is one of the race or stands twice.
        DataError: not one label a row, or losses of another shape or infinite.
    """
    if n_candidates < 1 or n_rows < 1:
        raise SettingError(f"a race needs a candidate and a row, got n_candidates={n_candidates}, n_rows={n_rows}")
    fresh = list(fresh_rows)
    if len(set(fresh)) < len(fresh) or any(0 <= row < n_rows for row in fresh):
        raise SettingError(f"fresh_rows must be different rows and none of the race's 0 to {n_rows - 1}, got {fresh}")
    running = _Race(
        Answers(score, n_candidates, n_rows), rules or RaceRules(), row_order(n_rows, labels=labels, seed=seed)
    )
    while running.goes_on():
        running.look()
    order = row_order(len(fresh), labels=None, seed=seed)
    return _with_fresh_rows(running, score, [fresh[place] for place in order])


class _Race:
    def __init__(self, answers: Answers, rules: RaceRules, order: list[int]) -> None:
        self.answers, self.rules, self.order = answers, rules, order
        self.n_candidates, self.n_rows = answers.losses.shape
        self.running = list(range(self.n_candidates))
        self.rows = [0] * self.n_candidates
        self.waiting: set[int] = set()  # of those that run, the ones with too few answers to be compared
        self.waited = [0] * self.n_candidates
        self.mets = [0]  # rows met after each look
        self.left: list[Left] = []
        self.set_aside: list[SetAside] = []

    def goes_on(self) -> bool:
        """Until one is left or the rows are used up; while one is waited for in any case."""
        return bool(self.waiting) or (self.met < self.n_rows and (len(self.running) > 1 or not self.met))

    @property
    def met(self) -> int:
        """Rows met by those that run."""
        return self.mets[-1]

    def look(self) -> None:
        """The next rows, and who leaves after them. Where asking raises, the race stands as it did before."""
        met = min(self.met + (self.rules.block_rows if self.met else self.rules.first_rows), self.n_rows)
        earlier = self.mets[-1 - self.rules.patience :][0]  # rows missed since then are asked again
        for beginning, some in (
            (earlier, [candidate for candidate in self.running if candidate in self.waiting]),
            (self.met, [candidate for candidate in self.running if candidate not in self.waiting]),
        ):
            self.answers.ask(some, self.order[beginning:met], times=self.rules.asks)
        self.mets.append(met)
        for candidate in self.running:
            self.rows[candidate] = met
        compared = self._compared()
        if len(compared) > 1 and met < self.n_rows:
            self._let_go(compared)

    def _compared(self) -> list[int]:
        """Those with answers enough; the others are waited for, or set aside."""
        answered = {candidate: self._answered(candidate) for candidate in self.running}
        most, share = max(answered.values(), default=0), self.rules.least_share
        enough = max(min(self.rules.least_rows, self.n_rows), share * most)
        by_luck = enough - _LUCK * math.sqrt(share * (1 - share) * most)
        self.waiting = {candidate for candidate, rows in answered.items() if rows < enough}
        for candidate, rows in answered.items():
            if candidate not in self.waiting:
                self.waited[candidate] = 0
            elif rows < by_luck or self.met == self.n_rows:
                self.waited[candidate] += 1
        self._set_aside([candidate for candidate in self.running if self.waited[candidate] > self.rules.patience])
        return [candidate for candidate in self.running if candidate not in self.waiting]

    def _answered(self, candidate: int) -> int:
        return int((~np.isnan(self.answers.losses[candidate])).sum())

    def _set_aside(self, candidates: Sequence[int]) -> None:
        for candidate in candidates:
            self.set_aside.append(SetAside(candidate, self.rows[candidate], self._answered(candidate)))
            self.running.remove(candidate)
            self.waiting.discard(candidate)

    def _let_go(self, compared: list[int]) -> None:
        now = standing(self.losses(compared))
        lead = lead_probabilities(now, self.n_rows, spread=self.rules.spread)
        ranked = sorted(range(len(compared)), key=lambda place: (-lead[place], now.effects[place], compared[place]))
        stay = self.rules.stay(self.met, n_candidates=self.n_candidates, n_rows=self.n_rows)
        for rank, place in reversed(list(enumerate(ranked))):
            unlikely = rank > 0 and lead[place] < self.rules.risk / self.n_candidates
            if unlikely or rank >= stay:
                why: Why = "unlikely to lead" if unlikely else "schedule"
                self.left.append(Left(compared[place], self.met, why, float(lead[place])))
                self.running.remove(compared[place])

    def losses(self, candidates: list[int]) -> FloatArray:
        """Of these candidates on the rows met, shape (n_candidates, n_met)."""
        losses: FloatArray = self.answers.losses[np.ix_(candidates, self.order[: self.met])]
        return losses

    def result(self, ranked: list[int], **of_fresh_rows: object) -> RaceResult:
        """With those that stayed in this order."""
        values: dict[str, object] = {
            "winner": ranked[0] if ranked else None,
            "ranking": (*ranked, *(left.candidate for left in reversed(self.left))),
            "rows": tuple(self.rows),
            "calls": self.answers.calls,
            "asked_again": self.answers.asked_again,
            "full_calls": self.n_candidates * self.n_rows,
            "left": tuple(self.left),
            "set_aside": tuple(self.set_aside),
        }
        return RaceResult(**{**values, **of_fresh_rows})  # type: ignore[arg-type]


def _with_fresh_rows(run: _Race, score: Score, fresh: list[int]) -> RaceResult:
    ranked = _ranked(run.running, run.losses(run.running))
    finalists = ranked[: run.rules.finalists]
    if not fresh or not finalists:
        return run.result(ranked)
    deciding = len(fresh) // 2 if len(finalists) > 1 else 0
    answers = Answers(
        lambda candidates, rows: score(candidates, [fresh[row] for row in rows]), run.n_candidates, len(fresh)
    )
    answers.ask(finalists, range(deciding), times=run.rules.asks)
    both = np.concatenate([run.losses(finalists), answers.losses[finalists, :deciding]], axis=1)
    decided = _ranked(finalists, both)
    answers.ask(decided[:1], range(deciding, len(fresh)), times=run.rules.asks)
    return run.result(
        decided + ranked[len(finalists) :],
        finalists=tuple(finalists),
        fresh=_figure(answers.losses[decided[0], deciding:]),
        fresh_calls=answers.calls,
        asked_again=run.answers.asked_again + answers.asked_again,
    )


def _ranked(candidates: list[int], losses: FloatArray) -> list[int]:
    """The best first; of equals the one with the lower number."""
    if len(candidates) < 2:
        return list(candidates)
    effects = standing(losses).effects
    return [candidates[i] for i in sorted(range(len(candidates)), key=lambda i: (effects[i], candidates[i]))]


def _figure(losses: FloatArray) -> FreshFigure | None:
    there = losses[~np.isnan(losses)]
    if not len(there):
        return None
    mean = float(there.mean())
    low, high = wilson_interval(mean, len(there)) if is_binary(there) else t_interval(there)
    return FreshFigure(mean, low, high, len(there))
