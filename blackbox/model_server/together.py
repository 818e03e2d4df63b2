"""Which calls are handed to the model as one, and how the answer is taken apart again.

A local backend gives a prompt's scores the same bits in the same call, but not in other company: prompts that stand on
the same tokens share passes, and a product of more rows may be summed in another order. So calls on the same queries
are put together where the prompts on either side of each seam share no pass: each then has the bits that it would have
alone. Whoever takes throughput over bits puts all of them together.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from blackbox.backends import Prompt, Scores
from blackbox.model_server.calls import Call, ScoreCall
from blackbox.model_server.served import PassingBackend, ServableBackend

Shares = Callable[[Prompt, Prompt], bool]
"""Whether two prompts that follow each other in a call share passes, in which either changes the other's bits."""


def seams(backend: ServableBackend, *, exact: bool) -> Shares:
    """The rule for a backend; `exact` keeps the bits."""
    if exact and isinstance(backend, PassingBackend):
        return backend.read_together
    return lambda first, second: False


def joined(calls: Sequence[Call], shares: Shares, *, most_prompts: int) -> list[int]:
    """The calls that go with the first one, by number, itself included; in the order in which they came."""
    first, numbers = calls[0], [0]
    if not isinstance(first, ScoreCall) or not first.prompts:
        return numbers
    count, last = len(first.prompts), first.prompts[-1]
    for number, call in enumerate(calls[1:], start=1):
        if not isinstance(call, ScoreCall) or not call.prompts or call.queries != first.queries:
            continue
        if count + len(call.prompts) <= most_prompts and not shares(last, call.prompts[0]):
            numbers.append(number)
            count, last = count + len(call.prompts), call.prompts[-1]
    return numbers


def scored(calls: Sequence[ScoreCall], backend: ServableBackend) -> list[Scores]:
    """The scores of calls on the same queries, asked for in one."""
    prompts = [prompt for call in calls for prompt in call.prompts]
    whole = backend.score(prompts, calls[0].queries)
    ends = np.cumsum([len(call.prompts) for call in calls])
    return [_part(whole, int(end) - len(call.prompts), int(end)) for end, call in zip(ends, calls, strict=True)]


def _part(whole: Scores, first: int, end: int) -> Scores:
    failures = tuple(replace(one, prompt=one.prompt - first) for one in whole.failures if first <= one.prompt < end)
    return Scores(whole.log_probabilities[first:end], whole.usages[first:end], failures)
