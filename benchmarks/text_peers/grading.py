"""How answers are read, of whatever tool. Standard library only: the tools' programs grade with it, too."""

import re
import string
from collections.abc import Sequence

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def between(text: str, begin: str, end: str) -> str:
    """What stands behind the last `begin` and before the next `end`; all of it where they are missing or empty."""
    if begin:
        text = text.rsplit(begin, maxsplit=1)[-1]
    return (text.split(end)[0] if end else text).strip()


def first_word(answer: str, words: Sequence[str]) -> str | None:
    """The label word that stands first in an answer as a whole word, in any case; the longer where two begin."""
    found = [
        (place.start(), -len(word), word)
        for word in words
        if (place := re.search(rf"(?<!\w){re.escape(word)}(?!\w)", answer, re.IGNORECASE))
    ]
    return min(found)[2] if found else None


def alike(answer: str, wanted: str) -> bool:
    """Exact match as in SQuAD's evaluate-v1.1 (arXiv 1606.05250): no case, punctuation, articles or extra blanks."""
    return _plain(answer) == _plain(wanted)


def right(answer: str, wanted: str, words: Sequence[str]) -> bool:
    """Whether an answer is the right one.

    Args:
        answer: without markers.
        wanted: a label word, or a target.
        words: all label words; none for targets.
    """
    return first_word(answer, words) == wanted if words else alike(answer, wanted)


def _plain(text: str) -> str:
    bare = text.lower().translate(_NO_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", bare).split()) or " ".join(bare.split())
