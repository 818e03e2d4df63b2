"""What a model behind an endpoint can do, found out with one cheap answer, or two where log-probabilities are not told.

An endpoint that refuses a parameter by name is asked again without it; a refusal costs no tokens. A parameter that it
takes without a word may still do nothing (most servers pass over what they do not know), so a constraint counts only
where the answer keeps it. All constraints are tried in one call, each with words of its own.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
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
_CHOICES: Mapping[Choice, tuple[str, str]] = {
    "structured_outputs": ("zebra", "quartz"),
    "grammar": ("walnut", "velvet"),
}
"""Nobody answers these unless made to."""

_FEW, _SOME, _MANY = 2, 8, 512  # tokens
_TOO_FEW = "max_tokens or model output limit was reached"
"""A refusal of OpenAI's: the model has thought until it was cut off."""

_LIMITS = ("max_tokens", "max_completion_tokens")
_LOGPROBS = {"logprobs", "top_logprobs"}


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
    """Ask, and again without what is refused by name, and with room for thoughts where they need it."""
    tokens = _FEW
    while True:
        wanted = Wanted(tokens, features.tops)
        try:
            return features, ask(dialect.call(_PROMPT, _QUESTION, features=features, wanted=wanted))
        except RefusedError as error:
            if _TOO_FEW in str(error) and tokens == _FEW:
                tokens = _MANY
            else:
                features = _after(error, dialect, features)


def _after(error: RefusedError, dialect: Dialect, features: Features) -> Features:
    """Features that leave out what was refused; the refusal itself where nothing can be left out."""
    parameter = error.parameter or _mentioned(error, dialect)
    if parameter == features.limit and features.limit == _LIMITS[0]:
        return replace(features, limit=_LIMITS[1])
    if parameter in _LOGPROBS and features.tops:
        return replace(features, tops=0)
    if parameter is None or parameter in features.refused or parameter not in dialect.droppable - _LOGPROBS:
        raise error
    return features.without(parameter)


def _mentioned(error: RefusedError, dialect: Dialect) -> str | None:
    """What an endpoint speaks of that names no parameter in any form: "Requested sample logprobs of 20, ..."."""
    said = set(re.findall(r"\w+", str(error).lower()))
    return min(said & dialect.droppable, default=None)


def _constraint(dialect: Dialect, features: Features, ask: Ask) -> Choice | None:
    """The constraint that an answer keeps, of those that are not refused."""
    choices = list(dialect.constraints)
    while choices:
        try:
            answer = ask(_constrained(dialect, features, choices))
        except RefusedError as error:
            named = [choice for choice in choices if choice == error.parameter]
            choices.remove(named[0] if named else choices[-1])
        else:
            return next((choice for choice in choices if answer.text.strip() in _CHOICES[choice]), None)
    return None


def _constrained(dialect: Dialect, features: Features, choices: Sequence[Choice]) -> Call:
    """The question with several constraints at once."""
    body: dict[str, object] = {}
    for choice in choices:
        wanted = Wanted(_SOME, choices=_CHOICES[choice])
        call = dialect.call(_PROMPT, _QUESTION, features=replace(features, choice=choice), wanted=wanted)
        body |= call.body
    return replace(call, body=body)
