import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blackbox.backends.errors import SpentError
from blackbox.errors import DataError, SettingError
from blackbox.metrics import wilson_interval
from blackbox.racing import RaceResult, RaceRules, race, row_order
from blackbox.racing.standing import Standing, lead_probabilities, predicted, standing

FloatArray = npt.NDArray[np.float64]
SEEDS = st.integers(0, 2**32 - 1)


class Table:
    """Scores from stored losses; every question is kept. `outage` counts the times that a cell is not answered."""

    def __init__(self, losses: FloatArray, outage: npt.NDArray[np.int64] | None = None) -> None:
        self.losses = losses
        self.asked: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
        self.outage = np.zeros(losses.shape, dtype=np.int64) if outage is None else outage.copy()

    def __call__(self, candidates: Sequence[int], rows: Sequence[int]) -> FloatArray:
        self.asked.append((tuple(candidates), tuple(rows)))
        cells = np.ix_(candidates, rows)
        answers = np.where(self.outage[cells] > 0, np.nan, self.losses[cells])
        self.outage[cells] -= 1
        return answers

    @property
    def calls(self) -> int:
        return sum(len(candidates) * len(rows) for candidates, rows in self.asked)


def wrong(accuracies: Sequence[float], n_rows: int, seed: int) -> FloatArray:
    """1 where a row is wrong, else 0."""
    shares = np.array(accuracies)[:, None]
    return (np.random.default_rng(seed).random((len(accuracies), n_rows)) >= shares).astype(np.float64)


# --- the order of the rows


@given(SEEDS, st.lists(st.integers(0, 1), min_size=1, max_size=80))
def test_every_beginning_of_the_rows_is_balanced_over_the_labels(seed: int, labels: list[int]) -> None:
    order = row_order(len(labels), labels=labels, seed=seed)
    assert sorted(order) == list(range(len(labels)))
    of_all = Counter(labels)
    for n in range(1, len(labels) + 1):
        seen = Counter(labels[row] for row in order[:n])
        for label, count in of_all.items():
            assert abs(seen[label] - n * count / len(labels)) <= len(of_all) / 2 + 1e-9


def test_the_order_is_of_the_seed() -> None:
    assert row_order(50, labels=None, seed=1) == row_order(50, labels=None, seed=1)
    assert row_order(50, labels=None, seed=1) != row_order(50, labels=None, seed=2)


def test_labels_must_be_one_a_row() -> None:
    with pytest.raises(DataError, match="labels must be 5, one a row, got 4"):
        row_order(5, labels=[0, 1, 0, 1], seed=0)


# --- the standing


@given(SEEDS)
def test_effects_without_missing_answers_are_the_differences_of_the_means(seed: int) -> None:
    losses = np.random.default_rng(seed).normal(size=(5, 12))
    means = losses.mean(axis=1)
    assert standing(losses).effects == pytest.approx(means - means.mean(), abs=1e-9)


@given(SEEDS)
def test_effects_with_missing_answers_are_those_of_least_squares(seed: int) -> None:
    rng = np.random.default_rng(seed)
    losses = rng.normal(size=(4, 15))
    losses[:3][rng.random((3, 15)) < 0.3] = np.nan
    who, where = np.nonzero(~np.isnan(losses))
    design = np.concatenate([np.eye(4)[who], np.eye(15)[where]], axis=1)
    solution = np.linalg.lstsq(design, losses[who, where])[0]
    fitted = solution[:4] - solution[:4].mean()
    assert standing(losses).effects == pytest.approx(fitted, abs=1e-9)
    rest = losses[who, where] - design @ solution
    shared = (~np.isnan(losses)).sum(axis=0) >= 2  # a row of one candidate is fitted exactly and frees nothing
    free = (~np.isnan(losses[:, shared])).sum() - shared.sum() - 4 + 1
    assert standing(losses).pooled == pytest.approx((rest**2).sum() / free)


@settings(deadline=None)
@given(SEEDS)
def test_missing_answers_never_change_a_ranking_by_how_hard_their_rows_are(seed: int) -> None:
    rng = np.random.default_rng(seed)
    worth, hardness = rng.permutation(6) * 0.01, rng.normal(size=60) * 10
    losses = worth[:, None] + hardness
    losses[1:][rng.random((5, 60)) < 0.15] = np.nan
    assert np.argsort(standing(losses).effects).tolist() == np.argsort(worth).tolist()


def test_candidates_with_equal_losses_have_equal_effects() -> None:
    losses = wrong([0.5, 0.7, 0.6], 37, seed=1)
    effects = standing(losses[[0, 1, 0, 2, 0]]).effects
    assert effects[0] == effects[2] == effects[4]


@settings(deadline=None)
@given(SEEDS, st.floats(0.0, 2.0))
def test_the_prediction_is_that_of_the_joint_normal_distribution(seed: int, of_rows: float) -> None:
    """Against conditioning the joint distribution of all T and all answers, mu with a prior as good as flat."""
    rng = np.random.default_rng(seed)
    K, N, spread = 3, 8, 0.5
    losses = rng.normal(size=(K, N))
    losses[rng.random((K, N)) < 0.4] = np.nan
    losses[:, 0] = rng.normal(size=K)
    now = Standing(np.zeros(K), np.array([0.5, 1.0, 1.5]), 1.0, of_rows + 1e-3)
    who, row = np.nonzero(~np.isnan(losses))
    # unknowns: mu, c, r, e; T without mu
    unknown = np.concatenate([[1e6], np.full(K, spread**2), np.full(N, now.of_rows), np.repeat(now.noise, N)])
    T = np.concatenate([np.zeros((K, 1)), np.eye(K), np.zeros((K, N)), np.kron(np.eye(K), np.full(N, 1 / N))], axis=1)
    cells = np.arange(K * N).reshape(K, N)[who, row]
    y = np.concatenate([np.ones((len(who), 1)), np.eye(K)[who], np.eye(N)[row], np.eye(K * N)[cells]], axis=1)
    gain = np.linalg.solve((y * unknown) @ y.T, (y * unknown) @ T.T).T
    means = gain @ losses[who, row]
    covariances = (T * unknown) @ T.T - gain @ ((y * unknown) @ T.T)
    found, variance = predicted(losses, now, spread=spread)
    centre = np.eye(K) - 1 / K
    assert found == pytest.approx(centre @ means, abs=1e-4)
    assert centre @ variance @ centre == pytest.approx(centre @ covariances @ centre, abs=1e-4)


@pytest.mark.parametrize("of_rows", [0.0, 1.0])
def test_how_different_rows_are_is_found(of_rows: float) -> None:
    rng = np.random.default_rng(1)
    losses = rng.normal(size=(10, 2000)) + rng.normal(size=2000) * of_rows
    assert standing(losses).of_rows == pytest.approx(of_rows**2, abs=0.1)


def test_the_lower_of_two_is_known_in_closed_form() -> None:
    for gap, first, second in [(0.0, 1.0, 1.0), (1.0, 1.0, 1.0), (3.0, 1.0, 0.5), (-2.0, 0.7, 1.5)]:
        expected = (1 + math.erf(gap / math.hypot(first, second) / math.sqrt(2))) / 2
        found = lead_probabilities(np.array([0.0, gap]), np.diag([first**2, second**2]))
        assert found == pytest.approx([expected, 1 - expected], abs=0.03)


def test_the_lowest_of_many_that_vary_together_is_that_of_draws() -> None:
    mean, root = np.array([0.0, 0.3, -0.2, 1.0]), np.random.default_rng(1).normal(size=(4, 4))
    draws = (mean + np.random.default_rng(0).normal(size=(200_000, 4)) @ root.T).argmin(axis=1)
    assert lead_probabilities(mean, root @ root.T) == pytest.approx(
        np.bincount(draws, minlength=4) / len(draws), abs=0.04
    )


def test_when_all_rows_are_met_the_leader_is_certain_and_equals_share() -> None:
    losses = wrong([0.5, 0.6, 0.7, 0.5], 50, seed=1)
    means, covariances = predicted(losses, standing(losses), spread=0.1)
    assert means == pytest.approx(losses.mean(axis=1) - losses.mean(), abs=1e-9)
    assert lead_probabilities(means, covariances).max() == pytest.approx(1.0)
    alike = np.zeros((2, 50))
    means, covariances = predicted(alike, standing(alike), spread=0.1)
    assert lead_probabilities(means, covariances) == pytest.approx([0.5, 0.5])


def test_a_candidate_that_is_always_right_has_some_noise_all_the_same() -> None:
    assert (standing(np.concatenate([np.zeros((1, 20)), wrong([0.6, 0.6], 20, seed=0)])).noise > 0).all()


# --- the race


def test_hopeless_candidates_meet_the_first_rows_only_and_the_best_wins() -> None:
    table = Table(wrong([0.9, 0.1, 0.1, 0.1, 0.85], 200, seed=1))
    result = race(table, 5, n_rows=200, seed=1)
    assert result.winner in (0, 4)
    assert set(result.ranking[:2]) == {0, 4}
    assert sum(result.rows[1:4]) <= 3 * RaceRules().first_of(200) + 2 * RaceRules().block_rows
    assert result.saved > 0.5


def test_a_candidate_that_falls_behind_by_bad_luck_comes_back() -> None:
    order = row_order(200, labels=None, seed=0)
    losses = wrong([0.4, 0.4, 0.4, 0.4, 0.95], 200, seed=0)
    losses[4, order[:20]] = [0, 1] * 10  # the last on the first rows: the others are right on 11 of 20 and more
    losses[:4, order[:20]] = [0] * 11 + [1] * 9
    assert race(Table(losses), 5, n_rows=200, seed=0).winner == 4


def test_the_race_ends_as_soon_as_the_leader_is_sure_enough() -> None:
    losses = wrong([0.9, 0.6, 0.6, 0.6], 200, seed=0)
    few, many = (race(Table(losses), 4, n_rows=200, rules=RaceRules(risk=risk)) for risk in (0.2, 0.001))
    assert few.calls < many.calls < few.full_calls
    assert max(few.probabilities) >= 0.8
    assert max(many.probabilities) >= 0.999
    assert sum(many.probabilities) == pytest.approx(1.0)


def test_all_candidates_meet_the_same_rows_in_the_same_order() -> None:
    table = Table(wrong([0.6] * 6, 100, seed=2))
    result = race(table, 6, n_rows=100, seed=9)
    met: dict[int, list[int]] = {candidate: [] for candidate in range(6)}
    for candidates, rows in table.asked:
        for candidate in candidates:
            met[candidate].extend(rows)
    order = row_order(100, labels=None, seed=9)
    for candidate, rows in met.items():
        assert rows == order[: result.rows[candidate]]


@pytest.mark.parametrize("seed", range(5))
def test_calls_are_those_that_were_made(seed: int) -> None:
    losses = wrong([0.6, 0.65, 0.7, 0.5, 0.6, 0.6], 150, seed)
    table = Table(losses, (np.random.default_rng(seed).random(losses.shape) < 0.1).astype(np.int64))
    result = race(table, 6, n_rows=120, seed=seed, fresh_rows=range(120, 150))
    assert result.calls + result.fresh_calls == table.calls
    pairs = Counter((c, row) for candidates, rows in table.asked for c in candidates for row in rows)
    assert result.asked_again == table.calls - len(pairs)
    assert result.full_calls == 6 * 120
    assert result.saved == 1 - result.calls / 720


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_a_race_from_stored_answers_replays_call_for_call(seed: int) -> None:
    losses = wrong([0.6, 0.65, 0.7, 0.6], 100, seed)
    losses[np.random.default_rng(seed).random(losses.shape) < 0.05] = np.nan
    first, second = Table(losses), Table(losses)
    fresh = range(80, 100)
    assert repr(race(first, 4, n_rows=80, seed=seed, fresh_rows=fresh)) == repr(
        race(second, 4, n_rows=80, seed=seed, fresh_rows=fresh)
    )
    assert first.asked == second.asked


@settings(deadline=None, max_examples=50)
@given(SEEDS, st.floats(0, 0.6))
def test_an_outage_that_is_answered_in_the_end_gives_the_race_of_a_quiet_day(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    losses = wrong([0.6, 0.65, 0.7, 0.5, 0.62], 120, seed) if seed % 2 else rng.normal(size=(5, 120))
    outage = np.where(rng.random(losses.shape) < share, rng.integers(1, 3, size=losses.shape), 0)
    quiet = race(Table(losses), 5, n_rows=100, seed=seed, fresh_rows=range(100, 120))
    stormy = race(Table(losses, outage), 5, n_rows=100, seed=seed, fresh_rows=range(100, 120))
    repeated_fresh = stormy.fresh_calls - quiet.fresh_calls
    assert stormy.calls - quiet.calls + repeated_fresh == stormy.asked_again
    cost = {"calls": 0, "asked_again": 0, "fresh_calls": 0}
    assert replace(stormy, **cost) == replace(quiet, **cost)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_refusals_on_hard_rows_neither_help_nor_harm(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hardness = np.sort(rng.normal(size=100))
    worth = np.array([0.0, 0.5, 1.0, 1.5])  # candidate 0 is the best
    losses = worth[:, None] + hardness + rng.normal(size=(4, 100)) * 0.01
    losses[3, -12:] = np.nan  # refuses the hard rows: a mean of its own rows would flatter it
    losses[0, :12] = np.nan
    assert race(Table(losses), 4, n_rows=100, seed=seed).winner == 0


def test_a_candidate_with_too_few_answers_neither_leaves_as_a_loser_nor_wins() -> None:
    losses = wrong([0.9, 0.5, 0.5, 0.5], 100, seed=0)
    losses[1] = np.nan
    losses[1, ::7] = 0.0  # always right where it answers
    table = Table(losses)
    result = race(table, 4, n_rows=100, seed=0)
    assert result.winner == 0
    assert [aside.candidate for aside in result.set_aside] == [1]
    assert 1 not in result.ranking
    assert result.set_aside[0].answered < 0.8 * result.set_aside[0].rows


def test_a_candidate_is_asked_for_its_missing_rows_as_often_as_the_rules_say_and_then_set_aside() -> None:
    losses = wrong([0.6, 0.6, 0.6], 100, seed=0)
    losses[2] = np.nan
    table = Table(losses)
    rules = RaceRules(asks=2, patience=1)
    result = race(table, 3, n_rows=100, rules=rules, seed=0)
    first = row_order(100, labels=None, seed=0)[0]
    assert sum(2 in candidates and first in rows for candidates, rows in table.asked) == 2 * (1 + 1)
    assert (result.set_aside[0].candidate, result.set_aside[0].rows) == (2, 25)  # the first 20 rows and one look more


def test_a_candidate_whose_answers_come_later_goes_on_and_can_win() -> None:
    losses = wrong([0.5, 0.5, 0.95], 100, seed=0)
    outage = np.zeros(losses.shape, dtype=np.int64)
    outage[2] = 4  # one look of three asks is in vain, and the first of the next
    result = race(Table(losses, outage), 3, n_rows=100, seed=0)
    assert result.winner == 2
    assert result.set_aside == ()


def test_missing_more_than_its_share_by_luck_on_the_first_rows_costs_nobody_the_race() -> None:
    losses = np.random.default_rng(0).normal(size=(4, 200)) + np.array([0.0, 3.0, 3.0, 3.0])[:, None]
    order = row_order(200, labels=None, seed=0)
    losses[0, [*order[:7], *order[30:34]]] = np.nan  # 13 of 20, 23 of 30, 29 of 40, 39 of 50: enough again at 60
    result = race(Table(losses), 4, n_rows=200, seed=0)
    assert (result.winner, result.set_aside) == (0, ())


def test_a_missing_row_is_asked_again_only_in_as_many_looks_as_the_rules_say() -> None:
    losses = wrong([0.6, 0.6], 200, seed=0)
    losses[1, np.random.default_rng(0).random(200) < 0.25] = np.nan  # neither compared nor far from it
    table = Table(losses)
    race(table, 2, n_rows=200, seed=0)
    asked = Counter(row for candidates, rows in table.asked for row in rows if 1 in candidates)
    assert max(asked.values()) <= RaceRules().asks * (1 + RaceRules().patience)


def test_when_nobody_answers_the_race_is_undecided_and_asks_no_longer() -> None:
    table = Table(np.full((3, 100), np.nan))
    rules = RaceRules()
    result = race(table, 3, n_rows=100, rules=rules, fresh_rows=range(100, 110))
    assert (result.winner, result.ranking, result.fresh) == (None, (), None)
    assert len(result.set_aside) == 3
    assert result.calls == 3 * 3 * (20 + 25 + 30)


def test_of_equals_the_one_with_the_lower_number_wins() -> None:
    losses = np.tile(wrong([0.6], 60, seed=0), (4, 1))
    result = race(Table(losses), 4, n_rows=60)
    assert result.winner == 0
    assert result.calls <= result.full_calls


@settings(deadline=None, max_examples=20)
@given(SEEDS)
def test_where_all_rows_are_needed_the_ranking_is_that_of_the_means(seed: int) -> None:
    losses = np.random.default_rng(seed).normal(size=(4, 40))
    result = race(Table(losses), 4, n_rows=40, rules=RaceRules(risk=0.0, finalists=4), seed=seed)
    assert result.rows == (40, 40, 40, 40) or max(result.probabilities) == 1.0
    assert result.winner == losses.mean(axis=1).argmin()


class Purse:
    """Answers until so many are paid for, as a backend with a budget does; asks nothing that does not fit."""

    def __init__(self, losses: FloatArray, limit: int) -> None:
        self.table, self.limit = Table(losses), limit

    def __call__(self, candidates: Sequence[int], rows: Sequence[int]) -> FloatArray:
        if self.table.calls + len(candidates) * len(rows) > self.limit:
            raise SpentError("the limit is reached", limit="requests")
        return self.table(candidates, rows)


@pytest.mark.parametrize("limit", [80, 100, 131])
def test_a_budget_that_ends_leaves_the_ranking_of_the_last_look(limit: int) -> None:
    losses = wrong([0.6, 0.65, 0.7, 0.6], 100, seed=0)
    result = race(Purse(losses, limit), 4, n_rows=100, seed=0)
    assert result.ended == "requests"
    assert result.calls <= limit
    assert sorted(result.ranking) == [0, 1, 2, 3]
    assert str(result).endswith("saved; the budget has ended it (requests)")
    assert result == race(Purse(losses, limit), 4, n_rows=100, seed=0)


def test_a_budget_that_ends_before_all_have_met_the_first_rows_is_told() -> None:
    with pytest.raises(SpentError):
        race(Purse(wrong([0.6, 0.65], 100, seed=0), 39), 2, n_rows=100)


def test_a_budget_that_ends_on_the_fresh_rows_leaves_the_race() -> None:
    losses = wrong([0.95, 0.2, 0.2], 140, seed=0)
    quiet = race(Table(losses), 3, n_rows=100, fresh_rows=range(100, 140))
    result = race(Purse(losses, quiet.calls + 10), 3, n_rows=100, fresh_rows=range(100, 140))
    assert (result.winner, result.ended, result.fresh, result.fresh_calls) == (0, "requests", None, 0)


def test_a_race_of_one_asks_only_the_first_rows() -> None:
    result = race(Table(wrong([0.6], 100, seed=0)), 1, n_rows=100)
    assert (result.winner, result.rows, result.calls) == (0, (20,), 20)


def test_with_fewer_rows_than_the_first_block_all_are_scored_on_all() -> None:
    losses = wrong([0.3, 0.9, 0.6], 8, seed=1)
    result = race(Table(losses), 3, n_rows=8)
    assert result.winner == int(losses.mean(axis=1).argmin())
    assert (result.calls, result.saved) == (24, 0.0)


def test_the_fresh_figure_is_the_winners_on_rows_that_no_choice_has_seen() -> None:
    losses = wrong([0.6] * 8, 140, seed=3)
    table = Table(losses)
    result = race(table, 8, n_rows=100, rules=RaceRules(risk=0.01), seed=0, fresh_rows=range(100, 140))
    assert 1 < len(result.finalists) <= 3
    fresh = [(candidates, rows) for candidates, rows in table.asked if min(rows) >= 100]
    deciding, reporting = fresh
    assert deciding[0] == result.finalists
    assert reporting[0] == (result.winner,)
    assert (len(deciding[1]), len(reporting[1])) == (20, 20)
    assert not set(deciding[1]) & set(reporting[1])
    mean = losses[result.winner, list(reporting[1])].mean()
    assert result.fresh is not None
    assert (result.fresh.loss, result.fresh.rows) == (mean, 20)
    assert (result.fresh.low, result.fresh.high) == wilson_interval(mean, 20)
    assert result.fresh_calls == len(result.finalists) * 20 + 20


def test_finalists_are_decided_by_all_rows_that_they_were_scored_on() -> None:
    losses = wrong([0.6] * 8, 140, seed=3)
    table = Table(losses)
    result = race(table, 8, n_rows=100, rules=RaceRules(risk=0.01), seed=0, fresh_rows=range(100, 140))
    deciding = next(rows for _, rows in table.asked if min(rows) >= 100)
    means = losses[:, [*range(100), *deciding]].mean(axis=1)
    assert result.ranking[: len(result.finalists)] == tuple(sorted(result.finalists, key=lambda c: (means[c], c)))


def test_a_single_finalist_gets_all_fresh_rows() -> None:
    result = race(Table(wrong([0.95, 0.2, 0.2], 140, seed=0)), 3, n_rows=100, fresh_rows=range(100, 140))
    assert (result.finalists, result.fresh_calls) == ((0,), 40)
    assert result.fresh is not None
    assert result.fresh.rows == 40


def test_a_result_says_what_it_saved_in_one_line() -> None:
    result = RaceResult(0, (0,), (1.0,), (1,), calls=1212, asked_again=0, full_calls=3200, set_aside=())
    assert str(result) == "scored 1,212 of 3,200 calls, 62% saved"


def test_losses_of_another_shape_or_infinite_ones_are_refused() -> None:
    with pytest.raises(DataError, match=r"losses of shape \(2, 5\), \(candidates, rows\), got \(5, 2\)"):
        race(lambda candidates, rows: np.zeros((len(rows), len(candidates))), 2, n_rows=5)
    with pytest.raises(DataError, match="candidate 0 has inf on row"):
        race(lambda candidates, rows: np.full((len(candidates), len(rows)), np.inf), 2, n_rows=5)


def test_a_race_without_candidates_or_with_rows_twice_is_refused() -> None:
    table = Table(np.zeros((2, 20)))
    with pytest.raises(SettingError, match="needs a candidate and a row, got n_candidates=0, n_rows=10"):
        race(table, 0, n_rows=10)
    for rows in ([5], [11, 11]):
        with pytest.raises(SettingError, match="none of the race's 0 to 9"):
            race(table, 2, n_rows=10, fresh_rows=rows)
    assert not table.asked


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"risk": 1.0}, "risk of a race must be from 0 to below 1, got 1.0"),
        ({"risk": math.nan}, "risk of a race"),
        ({"spread": 0.0}, "spread of a race must be positive and finite"),
        ({"first_rows": 5}, "first_rows of a race must be at least least_rows, 10, got 5"),
        ({"block_rows": 0}, "block_rows of a race must be at least 1"),
        ({"finalists": 0}, "finalists of a race must be at least 1"),
        ({"least_share": 0.0}, "least_share of a race must be above 0 and at most 1"),
    ],
)
def test_rules_out_of_range_are_refused(rules: dict[str, float], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        RaceRules(**rules)  # type: ignore[arg-type]


# --- rows that a candidate is exempt from


EXEMPT = {0: [3, 7], 2: range(15), 3: range(30)}


def race_of_exempt(table: Table) -> RaceResult:
    return race(table, 5, n_rows=60, rules=RaceRules(risk=0.0), exempt=EXEMPT)


def test_exempt_rows_are_never_asked_and_no_failures() -> None:
    table = Table(wrong([0.6, 0.5, 0.9, 0.8, 0.55], 60, seed=1))
    result = race_of_exempt(table)
    for candidates, rows in table.asked:
        assert not any(row in EXEMPT.get(candidate, ()) for candidate in candidates for row in rows)
    assert result.calls == table.calls == sum(result.rows)
    assert (result.asked_again, result.set_aside) == (0, ())
    assert sorted(result.ranking) == list(range(5))
    assert result.winner == 2
    assert result.full_calls == 5 * 60 - 2 - 15 - 30


def test_a_candidate_that_is_exempt_from_most_first_rows_is_waited_for_and_not_blamed() -> None:
    order = row_order(60, labels=None, seed=0)
    table = Table(wrong([0.5, 0.5, 0.95], 60, seed=2))
    result = race(table, 3, n_rows=60, rules=RaceRules(risk=0.0, patience=0), exempt={2: order[:40]})
    assert (result.winner, result.set_aside) == (2, ())
    assert result.rows[2] == 20


def test_a_candidate_that_is_exempt_from_all_rows_is_set_aside_at_once() -> None:
    table = Table(wrong([0.5, 0.9], 30, seed=3))
    result = race(table, 2, n_rows=30, exempt={1: range(30)})
    assert (result.winner, result.ranking, [aside.candidate for aside in result.set_aside]) == (0, (0,), [1])
    assert race(table, 2, n_rows=30, exempt={0: range(30), 1: range(30)}).winner is None


def test_few_rows_that_are_left_are_enough_where_they_are_all() -> None:
    table = Table(wrong([0.5, 0.95], 30, seed=4))
    result = race(table, 2, n_rows=30, rules=RaceRules(risk=0.0), exempt={1: range(25)})
    assert (sorted(result.ranking), result.set_aside, result.rows[1]) == ([0, 1], (), 5)


def test_missing_answers_count_against_the_rows_that_may_be_asked_only() -> None:
    outage = np.zeros((2, 60), dtype=np.int64)
    outage[1] = 99
    result = race(Table(wrong([0.5, 0.9], 60, seed=5), outage), 2, n_rows=60, exempt={1: range(10)})
    assert [(aside.candidate, aside.answered) for aside in result.set_aside] == [(1, 0)]


@pytest.mark.parametrize("exempt", [{2: [0]}, {-1: [0]}, {0: [30]}, {0: [-1]}])
def test_exempt_pairs_that_there_are_not_are_refused(exempt: dict[int, list[int]]) -> None:
    with pytest.raises(SettingError, match="exempt must name candidates 0 to 1 and rows 0 to 29"):
        race(Table(np.zeros((2, 30))), 2, n_rows=30, exempt=exempt)
