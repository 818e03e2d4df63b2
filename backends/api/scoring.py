"""How a model behind an endpoint is asked for what fills a blank, and how its answer becomes a row of scores.

Best first: log-probabilities of the label words, an answer constrained to them, text that is read. Which of them an
endpoint can do is found by probing it. An answer that is none of the options is wrong, not missing, for the prompt has
brought it about: "none of them" has the probability `CONFIDENCE`, and no option is chosen
(`blackbox.backends.chosen_options`). Missing is what a filter held back, and what was cut off before its first word:
by thoughts that the limit has no room for, whatever the prompt.
"""

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from blackbox.backends.api.answer import Answer
from blackbox.backends.api.dialect import Features, Wanted
from blackbox.backends.api.label_scores import CONFIDENCE, ByChoice, ByLogProbabilities, ByText, LabelReader, Scored
from blackbox.backends.api.option_text import plain_text
from blackbox.backends.api.unreadable import Reason
from blackbox.backends.errors import BackendSettingError

_MISSING = {Reason.FILTERED, Reason.TOOL, Reason.UNTOLD}
_LONGEST_CHOICE = 64  # tokens; the constraint ends an answer earlier
_TOLD_APART = 4  # tokens that options which begin alike may need


class Scoring:
    """A way to ask and to read.

    Args:
        name: "log-probabilities", "choice" or "text".
        features: what the endpoint can do.
        answer_tokens: written at most where the answer is read as text.

    Raises:
        BackendSettingError: the endpoint cannot do it, or there is no such way.
    """

    def __init__(self, name: str, features: Features, *, answer_tokens: int) -> None:
        readers: dict[str, LabelReader] = {
            "log-probabilities": ByLogProbabilities(),
            "choice": ByChoice(),
            "text": ByText(),
        }
        if name not in readers:
            raise BackendSettingError(f"scoring must be one of auto, {', '.join(readers)}, got {name!r}")
        able = {"log-probabilities": bool(features.tops), "choice": features.choice is not None, "text": True}
        if not able[name]:
            ways = ", ".join(way for way, can in able.items() if can)
            raise BackendSettingError(f"the endpoint cannot score by {name}; it can by {ways}")
        self.name, self._reader = name, readers[name]
        self._features, self._answer_tokens = features, answer_tokens

    def wanted(self, options: Sequence[str]) -> Wanted:
        """What an answer must be like to be read."""
        if self.name == "log-probabilities":
            alike = any(_begin_alike(one, other) for one, other in combinations(options, 2))
            return Wanted(self._features.blanks + (_TOLD_APART if alike else 1), self._features.tops)
        if self.name == "choice":
            return Wanted(_LONGEST_CHOICE, choices=tuple(options))
        return Wanted(self._answer_tokens)

    def score(self, answer: Answer, options: Sequence[str]) -> npt.NDArray[np.float64] | str:
        """Log-probabilities of the options, shape (n_options,), nats; or the reason why the row is missing."""
        read = self._reader.score(answer, options)
        if isinstance(read, Scored):
            return read.log_probabilities
        unsaid = read.reason is Reason.CUT and not plain_text(answer.text)
        if unsaid or read.reason in _MISSING:
            return str(read.reason)
        return np.full(len(options), math.log((1 - CONFIDENCE) / len(options)))


def make_scoring(name: str, features: Features, *, answer_tokens: int) -> Scoring:
    """The way that is named; "auto" is the best that the endpoint can do.

    Raises:
        BackendSettingError: as of `Scoring`.
    """
    if name == "auto":
        name = "log-probabilities" if features.tops else "choice" if features.choice else "text"
    return Scoring(name, features, answer_tokens=answer_tokens)


def _begin_alike(one: str, other: str) -> bool:
    """Whether a first token may begin both."""
    return one.strip().casefold()[:1] == other.strip().casefold()[:1]
