"""The probability of each option, from the tokens that the model held probable where its answer begins.

The first position counts whose most probable token is more than white space, quotes and markdown. Tokens are compared
without case and without the white space in front of them (which SentencePiece writes as "▁", byte-level BPE as "Ġ"), so
that "positive", " positive", "Positive" and "▁POSITIVE" add up.

- A token counts for the option that it begins, or is, if it begins no other: "pos" counts for "positive".
- A token that begins several options ("ne": "negative", "neutral") is parted by the next position, if the answer goes
  on from it. If not, its mass is nobody's; where one of those that it begins might have more by it than any is sure of,
  none can be told. (Of many options, several tokens may each begin some: no option can have the mass of all.)
- The token that was written counts only if the text goes on as the option does: the "a" of "a fine film" is no
  "ambivalent".
- An option that does not show has at most the smallest probability shown, and at most what the tokens shown leave of
  one. It is given half of the lower of the two: the middle of what it can have, and no tie with what does show.

OpenAI's -9999.0 ("not among the most probable") is a probability of zero: a token that does not show.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from blackbox.backends.api.answer import Answer
from blackbox.backends.api.unreadable import Reason

LEAST_LEFT = 1e-7
"""What the tokens shown leave of one, at least: endpoints round to float32."""

MARKUP = "\"'`*_#>“”‘’«»"
_SPACES = str.maketrans({"▁": " ", "Ġ": " ", "Ċ": "\n"})

FIRST_SPACELESS = "\u2e80"
"""From here on (CJK), letters beside a word do not make it another word."""


def option_masses(answer: Answer, options: Sequence[str]) -> npt.NDArray[np.float64] | Reason:
    """The probability of each option, all above 0 and not normalised; or the reason why none can be told.

    Args:
        answer: with log-probabilities.
        options: no two the same without case.

    Returns:
        Shape (n_options,).
    """
    reader = _Reader(options, answer)
    if not any(reader.tops):
        return Reason.UNTOLD
    first = next((place for place in range(len(answer.tops)) if reader.begins_at(place)), None)
    if first is None:
        return Reason.EMPTY
    reader.spread(first)
    return reader.masses()


class _Reader:
    """Spreads the probabilities shown over the options.

    Attributes:
        sure: shape (n_options,), the mass of tokens that count for one option.
        hidden: shape (n_options,), half of what may be in tokens that do not show.
        undecided: shape (n_options,), the mass of tokens that begin this option and others.
    """

    def __init__(self, options: Sequence[str], answer: Answer) -> None:
        self.options = [option.strip().casefold() for option in options]
        marks = (mark for mark in MARKUP if not any(option.startswith(mark) for option in self.options))
        self.blank = "".join(marks) + " \t\r\n"
        self.tops = [_probabilities(top) for top in answer.tops]
        self.text = answer.text.casefold().lstrip(self.blank)
        self.cut = answer.finish == "length"
        self.sure, self.hidden, self.undecided = (np.zeros(len(options)) for _ in range(3))

    def begins_at(self, place: int) -> bool:
        """Whether the most probable token of a position is more than white space and markup."""
        top = self.tops[place]
        return bool(top) and bool(max(top, key=top.__getitem__).strip(self.blank))

    def spread(self, place: int, stem: str = "", mass: float = 1.0) -> None:
        """Spread `mass` over the tokens of a position, where `stem` is what has been written of an option."""
        shown = list(self.tops[place].values())
        tokens = self.tops[place] if stem else _added_up(self.tops[place], self.blank)
        on = [token for token in tokens if self.text.startswith(stem + token)]
        written = max(on, key=tokens.__getitem__, default=None)
        for token, probability in tokens.items():
            self._give(place, stem, token, mass=mass * probability, written=token == written)
        bound = min(*shown, max(LEAST_LEFT, 1 - sum(shown)))
        self.hidden[self._begun(stem)] += mass * bound / 2

    def masses(self) -> npt.NDArray[np.float64] | Reason:
        """The mass of each option, or why it cannot be told."""
        if self.undecided.max() > self.sure.max():
            return Reason.AMBIGUOUS
        if not self.sure.any():
            return Reason.UNSHOWN
        return np.where(self.sure > 0, self.sure, self.hidden)

    def _give(self, place: int, stem: str, token: str, *, mass: float, written: bool) -> None:
        begun = self._begun(stem + token)
        whole = self._whole(stem)
        if len(begun) == 1:
            if not written or self._goes_on(self.options[begun[0]]):
                self.sure[begun] += mass
        elif not begun:
            if whole is not None and not _same_word(token):
                self.sure[whole] += mass
        elif written and place + 1 < len(self.tops) and self.tops[place + 1]:
            self.spread(place + 1, stem + token, mass)
        elif written and not self.cut and (whole := self._whole(stem + token)) is not None:
            self.sure[whole] += mass
        else:
            self.undecided[begun] += mass

    def _begun(self, stem: str) -> list[int]:
        return [number for number, option in enumerate(self.options) if option.startswith(stem.rstrip())]

    def _whole(self, stem: str) -> int | None:
        return self.options.index(stem.rstrip()) if stem.rstrip() in self.options else None

    def _goes_on(self, option: str) -> bool:
        """Whether the text is this option, or the beginning of it."""
        whole = self.text.startswith(option) and not _same_word(self.text[len(option) :])
        return whole or option.startswith(self.text.rstrip())


def _probabilities(top: Mapping[str, float]) -> dict[str, float]:
    """The tokens shown, in lower case, and their probabilities."""
    known = ((token.translate(_SPACES).casefold(), math.exp(value)) for token, value in top.items())
    return _sums((token, probability) for token, probability in known if probability)


def _added_up(tokens: Mapping[str, float], blank: str) -> dict[str, float]:
    """The same without what is blank in front; what is nothing else is left out."""
    return _sums((token.lstrip(blank), value) for token, value in tokens.items() if token.strip(blank))


def _sums(pairs: Iterable[tuple[str, float]]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for token, probability in pairs:
        sums[token] = sums.get(token, 0.0) + probability
    return sums


def _same_word(following: str) -> bool:
    """Whether what follows a word makes it another one: "good" in "goodness"."""
    return following[:1].isalnum() and following[0] < FIRST_SPACELESS
