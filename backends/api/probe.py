"""What a model behind an endpoint can do, found out with one or two cheap calls.

An endpoint that refuses a parameter by name is asked again without it. A parameter that it takes without a word may
still do nothing (most servers pass over what they do not know), so a constraint counts only where the answer keeps it.
"""

import json
from collections.abc import Callable
from dataclasses import replace

from blackbox.backends.api.answer import Answer, Call
from blackbox.backends.api.answers import Facts
from blackbox.backends.api.asker import Asker
from blackbox.backends.api.dialect import Choice, Dialect, Features, Wanted
from blackbox.backends.base import Query
from blackbox.backends.errors import RefusedError
from blackbox.backends.prompts import TextPrompt

Ask = Callable[[Call], Answer]

_PROMPT = TextPrompt("Answer with one word. ")
_QUESTION = Query("Is a good day positive or negative?\nAnswer: ", ("positive", "negative"))
_CHOICES = ("zebra", "quartz")  # nobody answers these unless made to
_FEW, _MANY = 2, 8  # tokens
_LIMITS = ("max_tokens", "max_completion_tokens")


def probed(asker: Asker) -> Features:
    """The features of an endpoint, from the journal where it has been probed before.

    Raises:
        RefusedError, StoppedError: as of `probe`.
    """
    first = asker.dialect.call(_PROMPT, _QUESTION, features=asker.dialect.starts[0], wanted=Wanted(_FEW))
    name = f"features {asker.key(first)}"
    noted = asker.answers.noted(name)
    if noted is not None:
        return Features.from_dict(json.loads(noted))
    features = probe(asker.dialect, lambda call: asker(call, Facts("probe")))
    asker.answers.note(name, json.dumps(features.to_dict()))
    return features


def probe(dialect: Dialect, ask: Ask) -> Features:
    """The features of the endpoint that `ask` goes to.

    Raises:
        RefusedError: it refuses every form of the question, the key or the model.
        StoppedError: it cannot be asked.
    """
    features, answer = _first_answer(dialect, ask)
    written = max(answer.usage.prompt_tokens, 1)
    features = replace(
        features,
        tops=max((len(top) for top in answer.tops), default=0) and features.tops,
        blanks=sum(1 for top in answer.tops[:1] if not max(top, key=lambda token: top[token], default="x").strip()),
        overhead=min(features.overhead, written),
    )
    return features if features.tops else replace(features, choice=_constraint(dialect, features, ask))


def _first_answer(dialect: Dialect, ask: Ask) -> tuple[Features, Answer]:
    refusal: RefusedError | None = None
    for features in dialect.starts:
        try:
            return _answer_without_refused(dialect, features, ask)
        except RefusedError as error:
            if error.status != 404:
                raise
            refusal = refusal or error
    raise refusal or RuntimeError("a dialect must have something to try first")


def _answer_without_refused(dialect: Dialect, features: Features, ask: Ask) -> tuple[Features, Answer]:
    """Ask, and again without what is refused by name."""
    while True:
        wanted = Wanted(_FEW, features.tops)
        try:
            return features, ask(dialect.call(_PROMPT, _QUESTION, features=features, wanted=wanted))
        except RefusedError as error:
            features = _after(error, dialect, features)


def _after(error: RefusedError, dialect: Dialect, features: Features) -> Features:
    """Features that leave out what was refused; the refusal itself where nothing can be left out."""
    parameter = error.parameter
    if parameter == features.limit and features.limit == _LIMITS[0]:
        return replace(features, limit=_LIMITS[1])
    if parameter not in dialect.droppable or parameter in features.refused:
        raise error
    if parameter in ("logprobs", "top_logprobs"):
        return replace(features, tops=0)
    return features.without(parameter)


def _constraint(dialect: Dialect, features: Features, ask: Ask) -> Choice | None:
    for choice in dialect.constraints:
        tried = replace(features, choice=choice)
        try:
            answer = ask(dialect.call(_PROMPT, _QUESTION, features=tried, wanted=Wanted(_MANY, choices=_CHOICES)))
        except RefusedError:
            continue
        if answer.text.strip() in _CHOICES:
            return choice
    return None
