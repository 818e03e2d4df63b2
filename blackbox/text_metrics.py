"""Metrics of written texts: how well one agrees with the accepted answers of its row, from 0 to 1; the best counts.

"exact-match" and "token-f1" are those of SQuAD's evaluate-v1.1 (Rajpurkar et al. 2016, arXiv 1606.05250): lower case,
without punctuation (ASCII), without the articles a, an and the, white space made single. Where nothing is left of an
answer, as of "(A)", articles are kept on both sides, and where that leaves nothing either, punctuation too. "contains"
looks for the words of an answer, so prepared, one after the other in the text. "numeric-match" compares the last number
of the text with that of the answer: thousands commas, a sign, decimals; "$" and "%" say nothing.
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real

from blackbox.errors import DataError, unknown_name

TextFunction = Callable[[str, Sequence[str]], float]
"""A text and the accepted answers of its row -> a score from 0 to 1."""

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_NUMBER = re.compile(r"(?:(?<!\w)[-+])?(?:(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)")


@dataclass(frozen=True)
class TextMetric:
    """A metric by name.

    Attributes:
        name: as it stands in figures.
        function: what it computes.
    """

    name: str
    function: TextFunction

    def __call__(self, text: str, answers: Sequence[str]) -> float:
        """The score of a text.

        Raises:
            DataError: the function gives no number from 0 to 1.
        """
        score = self.function(text, answers)
        if not isinstance(score, Real) or not 0 <= score <= 1:
            raise DataError(f"metric {self.name!r} must give a number from 0 to 1, got {score!r} for {text!r}")
        return float(score)


def exact_match(text: str, answer: str) -> float:
    prepare = _preparation(answer)
    return float(prepare(text) == prepare(answer))


def contains(text: str, answer: str) -> float:
    prepare = _preparation(answer)
    return float(f" {prepare(answer)} " in f" {prepare(text)} ")


def token_f1(text: str, answer: str) -> float:
    """F1 over the words of both, each as often as it occurs."""
    prepare = _preparation(answer)
    found, wanted = prepare(text).split(), prepare(answer).split()
    same = sum((Counter(found) & Counter(wanted)).values())
    return 2 * same / (len(found) + len(wanted))


def numeric_match(text: str, answer: str) -> float:
    wanted = last_number(answer)
    return float(wanted is not None and last_number(text) == wanted)


def last_number(text: str) -> Decimal | None:
    """The last number in a text, without rounding; None where there is none."""
    found = _NUMBER.findall(text.replace("$", "").replace("\N{MINUS SIGN}", "-"))
    return Decimal(found[-1].replace(",", "")) if found else None


def make_text_metric(metric: str | TextFunction) -> TextMetric:
    """A metric by name, or one that a function computes.

    Raises:
        UnknownNameError: no metric of written texts has this name.
    """
    if not isinstance(metric, str):
        return TextMetric(getattr(metric, "__name__", type(metric).__name__), metric)
    if metric not in TEXT_METRICS:
        raise unknown_name("metric of targets", metric, [*TEXT_METRICS, "none"])
    return TextMetric(metric, TEXT_METRICS[metric])


def _best(of_one: Callable[[str, str], float]) -> TextFunction:
    return lambda text, answers: max(of_one(text, answer) for answer in answers)


TEXT_METRICS: dict[str, TextFunction] = {
    "exact-match": _best(exact_match),
    "numeric-match": _best(numeric_match),
    "contains": _best(contains),
    "token-f1": _best(token_f1),
}


def _preparation(answer: str) -> Callable[[str], str]:
    """The most thorough way of preparing texts that leaves something of an answer."""
    return next((way for way in (_as_squad, _with_articles) if way(answer)), _with_punctuation)


def _as_squad(text: str) -> str:
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split())


def _with_articles(text: str) -> str:
    return " ".join(text.lower().translate(_NO_PUNCTUATION).split())


def _with_punctuation(text: str) -> str:
    return " ".join(text.lower().split())
