"""The account of a sweep, over all its sessions: what earlier ones have spent stands in the journals of the runs.

So does a bound of what was in flight when one of them was killed.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from blackbox.backends import Usage
from blackbox.config import Config
from blackbox.errors import SettingError
from blackbox.proposing.writers import ENDPOINTS, names_another, of_proposer
from blackbox.run_folder import RunFolder
from blackbox.sweeps.budget import WHOSE, SweepBudget
from blackbox.sweeps.checks import Checked
from blackbox.sweeps.dealing import asks_endpoint

if TYPE_CHECKING:
    from blackbox.backends.api import Account, Answers, Limits


def check_budget(budget: SweepBudget, runs: Sequence[Checked]) -> None:
    """Refuse a budget that could not be kept.

    Raises:
        SettingError: it limits nothing, or not all that it says.
    """
    if budget == SweepBudget():
        return
    asking = [one for one in runs if asks_endpoint(one.config)]
    if not asking:
        raise SettingError("[budget] limits runs that ask endpoints, and none does; the others have settings of theirs")
    if budget.seconds is not None and len(asking) < len(runs):
        other = next(one for one in runs if not asks_endpoint(one.config))
        raise SettingError(
            f"[budget] seconds limits runs that ask endpoints, and {other.run.name} asks none; give it a limit of its "
            "own: seconds, in its task or method"
        )
    if budget.max_usd is not None:
        for one in asking:
            _check_price(one)


def bound_of(budget: SweepBudget, runs: Sequence[Checked]) -> SweepBudget:
    """What the sweep may cost at most: its own limits, or those of all its runs that ask endpoints, if less.

    Side by side runs may take less time than their limits together, so that those say nothing of it.
    """
    asking = [one.config for one in runs if asks_endpoint(one.config)]
    bounds = {"seconds": budget.seconds}
    for name in SweepBudget.model_fields.keys() - bounds:
        own = [getattr(config, name) for config in asking]
        limits = [getattr(budget, name), sum(own) if own and None not in own else None]
        bounds[name] = min((limit for limit in limits if limit is not None), default=None)
    return SweepBudget(**bounds)  # type: ignore[arg-type]


def open_account(budget: SweepBudget, runs: Sequence[Checked], *, elapsed: float) -> "Account":
    """The account of a sweep, with what its runs have spent in earlier sessions.

    Args:
        budget: of the sweep.
        runs: all of it; those that ask no endpoint have no part.
        elapsed: seconds that earlier sessions took.

    Raises:
        JournalError: a journal cannot be read.
    """
    from blackbox.backends.api import Account

    limits, spent = budget.limits(), Usage()
    for one in runs:
        for answers, _ in _journals(one):
            with closing(answers):
                spent += answers.spent()
    # A bound is of the most that one run had in flight at once: those of all together may be more than was ever left.
    for one in runs:
        for answers, own in _journals(one):
            with closing(answers):
                spent += answers.charge_lost(own, wider=(limits, spent))
    return Account(limits, spent=spent, elapsed=elapsed, whose=WHOSE)


def _journals(one: Checked) -> Iterator[tuple["Answers", "Limits"]]:
    """The books that a run has so far, each opened when it is drawn."""
    if not asks_endpoint(one.config):
        return
    from blackbox.backends.api import Answers
    from blackbox.endpoints import answers_file, limits, run_of

    file = answers_file(one.config, RunFolder(one.run.folder).answers)
    if file is not None and file.exists():
        yield Answers(file, run=run_of(_paying(one.config))), limits(one.config)


def _paying(config: Config) -> Config:
    """The settings by which a run's costs are written down: those of the proposing model, if only that is asked."""
    return config if config.backend in ENDPOINTS else of_proposer(config)


def _check_price(one: Checked) -> None:
    from blackbox.endpoints import price

    configs = [one.config, *([of_proposer(one.config)] if names_another(one.config) else [])]
    for config in configs:
        if config.backend in ENDPOINTS and price(config) is None:
            raise SettingError(
                f"{one.run.name}: [budget] max_usd needs the price of model {config.model!r}, which is not known here; "
                "give the USD per million tokens of prompts and completions, or limit tokens instead"
            )
