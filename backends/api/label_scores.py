"""From an answer to log-probabilities of a query's options, in three ways. Best first:

- `ByLogProbabilities`: the probabilities of the tokens with which the answer begins. Needs an endpoint that tells them.
  The margin between options is the signal that a search follows; accuracy is for decisions.
- `ByChoice`: the endpoint lets the model write nothing but one of the options.
- `ByText`: whatever the model writes, read by rules.

What cannot be read is `Unreadable`, with its reason. It is missing: counted apart, never a tie and never the first
option.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from blackbox.backends.api.answer import Answer
from blackbox.backends.api.option_text import find_option, plain_text
from blackbox.backends.api.option_tokens import option_masses
from blackbox.backends.api.unreadable import Reason, Unreadable, stopped
from blackbox.backends.errors import QueryError

CONFIDENCE = 0.9
"""The probability of a written option where none is told; the others share the rest. Only the order counts."""


class Source(StrEnum):
    """Where the numbers come from."""

    MEASURED = "log-probabilities"
    WRITTEN = "the option that was written, at a fixed confidence"


@dataclass(frozen=True, eq=False)
class Scored:
    """What a reader says of an answer that it can read.

    Attributes:
        log_probabilities: shape (n_options,), nats, all finite; their exponentials sum to one. The highest is higher
            than the others, but for options that measure the same.
        source: whether margins mean something (measured), or only the order does (written).
    """

    log_probabilities: npt.NDArray[np.float64]
    source: Source


class LabelReader(Protocol):
    """Reads answers."""

    def score(self, answer: Answer, options: Sequence[str]) -> Scored | Unreadable:
        """Log-probabilities of the options.

        Args:
            answer: to a query.
            options: at least two, none empty; no two the same but for case, markdown and white space.

        Raises:
            QueryError: the options are not so.
        """
        ...


class ByLogProbabilities:
    """By the tokens that the model held probable where its answer begins; `option_tokens` has the rules."""

    def score(self, answer: Answer, options: Sequence[str]) -> Scored | Unreadable:
        """As `LabelReader` says. The text itself may be anything, of one token for instance."""
        _check(options)
        if reason := stopped(answer):
            return Unreadable(reason)
        masses = option_masses(answer, options)
        if isinstance(masses, Reason):
            return Unreadable(masses)
        return Scored(np.log(masses) - math.log(masses.sum()), Source.MEASURED)


class ByChoice:
    """By the option that the endpoint made the model write.

    Where log-probabilities are told and the written option is the highest by them, they are the scores. Elsewhere it is
    scored at the fixed confidence: a constraint may have kept the model from what it held probable.
    """

    def score(self, answer: Answer, options: Sequence[str]) -> Scored | Unreadable:
        """As `LabelReader` says. A text that is no option is unreadable: the endpoint knows no constraint."""
        _check(options)
        if reason := stopped(answer):
            return Unreadable(reason)
        chosen = _chosen(answer, options)
        if isinstance(chosen, Reason):
            return Unreadable(chosen)
        measured = ByLogProbabilities().score(answer, options)
        if isinstance(measured, Scored) and measured.log_probabilities.argmax() == chosen:
            return measured
        return _written(chosen, len(options))


class ByText:
    """By the option that the answer names; `option_text` has the rules."""

    def score(self, answer: Answer, options: Sequence[str]) -> Scored | Unreadable:
        """As `LabelReader` says. The scores are at the fixed confidence."""
        _check(options)
        found = stopped(answer) or find_option(answer.text, options, cut=answer.finish == "length")
        return Unreadable(found) if isinstance(found, Reason) else _written(found, len(options))


def _check(options: Sequence[str]) -> None:
    plain = [plain_text(option) for option in options]
    if len(options) < 2 or not all(plain) or len(set(plain)) < len(plain):
        raise QueryError(
            f"options must be two or more texts that differ in more than case, markdown and white space, got "
            f"{list(options)}"
        )


def _chosen(answer: Answer, options: Sequence[str]) -> int | Reason:
    for plain in (str.strip, plain_text):
        wanted = [plain(option) for option in options]
        if (text := plain(answer.text).strip("\"'")) in wanted:
            return wanted.index(text)
    if answer.finish == "length":
        return Reason.CUT
    return Reason.NONE if answer.text.strip() else Reason.EMPTY


def _written(chosen: int, n_options: int) -> Scored:
    probabilities = np.full(n_options, (1 - CONFIDENCE) / (n_options - 1))
    probabilities[chosen] = CONFIDENCE
    return Scored(np.log(probabilities), Source.WRITTEN)
