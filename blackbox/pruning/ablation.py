"""The search for what a prompt can do without.

Each part is taken out alone, and the training loss without it is its worth (XPrompt, arXiv 2210.04457, estimates the
same with a gradient; "Do We Really Need a Large Number of Visual Prompts?", arXiv 2305.17223, finds few tokens to carry
most). All parts without which the loss is no higher are taken out together, the least worth first; where the dev score
is worse than that of the whole prompt, the first half of them, and so on down to one. Where that was kept, the parts
that are left are weighed again. Few dev rows make many ties of the metric, so the loss there must not be higher
either, but for a tolerance. Without dev rows the training loss decides.
"""

import logging
from dataclasses import dataclass

from blackbox.backends import Prompt
from blackbox.evaluation import Evaluation
from blackbox.pruning.asking import Account
from blackbox.pruning.parts import Level, levels_of
from blackbox.selection import dev_rank

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Step:
    """A prompt on the way, with what is known of it.

    Attributes:
        prompt: the prompt.
        train: on the training rows.
        dev: on the dev rows; None where there are none.
    """

    prompt: Prompt
    train: Evaluation
    dev: Evaluation | None


def ablate(account: Account) -> tuple[Step, Step]:
    """The first prompt, and what was left of it when nothing more could be taken out or the budget ended."""
    first = last = _step(account, account.first)
    for level in levels_of(account.first):
        last = _ablate_level(account, level, first, last)
    return first, last


def _ablate_level(account: Account, level: Level, first: Step, last: Step) -> Step:
    while (count := level.count(last.prompt)) > level.least:
        if not account.allows(count + 1, account.task.train):
            log.warning("the budget of evaluations ends before %d %s are weighed", count, level.name)
            return last
        without = account.train([level.without(last.prompt, {place}) for place in range(count)])
        shorter = _shorter(account, level, first, last, without)
        if shorter is None:
            return last
        last = shorter
    return last


def _shorter(account: Account, level: Level, first: Step, last: Step, without: list[Evaluation]) -> Step | None:
    """The prompt without as many parts as the dev score allows; None where it allows none."""
    order = sorted(range(len(without)), key=lambda place: without[place].loss)
    useless = sum(one.loss <= last.train.loss for one in without)
    size = min(max(1, useless), len(without) - level.least)
    while size >= 1 and account.allows(1, account.task.train):
        step = _step(account, level.without(last.prompt, set(order[:size])))
        if not _is_worse(step, first, account.tolerance):
            return step
        size //= 2
    return None


def _step(account: Account, prompt: Prompt) -> Step:
    [train] = account.train([prompt])
    return Step(prompt, train, account.dev(prompt) if len(account.task.dev) else None)


def _is_worse(step: Step, first: Step, tolerance: float) -> bool:
    """By the metric on the dev rows or the loss there, or by the training loss without dev rows."""
    if step.dev is None or first.dev is None:
        return not step.train.loss <= first.train.loss + tolerance
    return dev_rank(step.dev)[:2] > dev_rank(first.dev)[:2] or not step.dev.loss <= first.dev.loss + tolerance
