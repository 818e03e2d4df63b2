"""How often a race finds the best of 16 candidates, and for what share of the calls, against scoring all rows.

One candidate is better by a lead, the others are alike. A candidate of accuracy a is right on a row where

    z = Phi^-1(a) - sqrt(rho) d - sqrt(1 - rho) e > 0,    d, e ~ N(0, 1),

d the row's difficulty, which all candidates share, and e their own: a latent Gaussian with the accuracies kept whatever
rho is. Both ways of scoring see the same answers, so that their difference is paired. As continuous losses, log-
probability margins, -z itself is told. The race has the default rules; they were chosen with other seeds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from blackbox.racing import race

SEED = 20_261_127
TRIES, QUICK = 500, 20
N_CANDIDATES, N_ROWS, ACCURACY = 16, 200, 0.6
SHARED = 0.5  # rho of correlated rows
LEADS = {0.08: 0.45, 0.15: 0.25, 0.0: None}  # the share of the calls that a race may take at most
WITHIN = 0.02  # of finding the best as often as all rows do


@dataclass(frozen=True)
class Setting:
    """One line of the table."""

    lead: float
    rho: float
    continuous: bool = False

    @property
    def name(self) -> str:
        losses = "margins" if self.continuous else "right or wrong"
        return f"{losses}, {'correlated' if self.rho else 'independent'} rows, lead {100 * self.lead:.0f}"

    def losses(self, rng: np.random.Generator) -> tuple[npt.NDArray[np.float64], int]:
        """Of shape (N_CANDIDATES, N_ROWS), and the number of the best candidate."""
        best = int(rng.integers(N_CANDIDATES))
        middle = np.full(N_CANDIDATES, NormalDist().inv_cdf(ACCURACY))
        middle[best] = NormalDist().inv_cdf(ACCURACY + self.lead)
        shared, own = rng.normal(size=N_ROWS), rng.normal(size=(N_CANDIDATES, N_ROWS))
        z = middle[:, None] - math.sqrt(self.rho) * shared - math.sqrt(1 - self.rho) * own
        return (-z if self.continuous else (z <= 0).astype(np.float64)), best


SETTINGS = tuple(
    Setting(lead, rho, continuous) for lead in LEADS for continuous in (False, True) for rho in (0.0, SHARED)
)


def run(*, quick: bool) -> dict[str, object]:
    """Shares of tries in which the best is found and shares of calls, by setting."""
    print(f"{'':48}all rows    race  difference         calls  bars met")
    return {
        setting.name: measured(setting, QUICK if quick else TRIES, np.random.SeedSequence([SEED, number]))
        for number, setting in enumerate(SETTINGS)
    }


def measured(setting: Setting, tries: int, seed: np.random.SeedSequence) -> dict[str, object]:
    """The figures of one setting over so many tries; prints its line."""
    found = np.array([one_try(setting, np.random.default_rng(child)) for child in seed.spawn(tries)])
    whole, raced, calls = found[:, 0], found[:, 1], found[:, 2]
    behind, error = mean_and_error(whole - raced)
    share, bar = float(calls.mean()), LEADS[setting.lead]
    figures: dict[str, object] = {
        "tries": tries,
        "found_by_all_rows": float(whole.mean()),
        "found_by_the_race": float(raced.mean()),
        "behind": behind,
        "behind_standard_error": error,
        "share_of_calls": share,
        "share_of_calls_in_95%_of_tries": float(np.quantile(calls, 0.95)),
        "same_winner": float(found[:, 3].mean()),
    }
    if bar is not None:
        figures |= {"share_bar": bar, "bars_met": share <= bar and behind <= WITHIN}
    print(
        f"{setting.name:48}{whole.mean():7.1%} {raced.mean():7.1%} {-behind:+7.1%} +- {1.96 * error:.1%} {share:9.1%}"
        f"  {'' if bar is None else 'yes' if figures['bars_met'] else 'no'}",
        flush=True,
    )
    return figures


def one_try(setting: Setting, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """Whether all rows find the best, whether the race does, its share of the calls, whether both have one winner."""
    losses, best = setting.losses(rng)

    def score(candidates: Sequence[int], rows: Sequence[int]) -> npt.NDArray[np.float64]:
        answers: npt.NDArray[np.float64] = losses[np.ix_(candidates, rows)]
        return answers

    result = race(score, N_CANDIDATES, n_rows=N_ROWS, seed=int(rng.integers(2**32)))
    leader = int(losses.mean(axis=1).argmin())
    return leader == best, result.winner == best, result.calls / result.full_calls, result.winner == leader


def mean_and_error(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """The mean over independent tries, and its standard error."""
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values)))
