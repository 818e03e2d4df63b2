"""Which option a written answer names: by rules that leave an answer unread sooner than they misread it.

Case, white space, quotes, markdown and what is thought (<think>...</think>) do not matter. The first rule that finds
one option wins:

1. the answer as a whole is an option, or exactly one option stands alone in a line;
2. the last "answer is X" ("Answer: X", "label = X", "classification: X", ...);
3. exactly one option appears as a whole word, and no word shortly in front of it denies it ("not positive"). Of two
   options that overlap the longer counts: "very positive" is not "positive". A single letter ("A") is no word here:
   articles are.

An apology in front ("I'm sorry", "I cannot") leaves only the first two rules.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from blackbox.backends.api.option_tokens import FIRST_SPACELESS
from blackbox.backends.api.unreadable import Reason

ENDS = " \t\n.,:;!?\"'()[]{}<>«»-–—"
"""What may stand around an option that is the whole answer or line."""

_THOUGHT = re.compile(r"^(?:(?!<think>).)*?</think>|<think>.*?(?:</think>|$)", re.DOTALL)  # a template may open it
_QUOTES = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "`": None, "*": None, "\u00a0": " "})
_MARKDOWN = re.compile(r"(?<!\w)_+|_+(?!\w)|^\s*[#>]+\s*", re.MULTILINE)
_DECLINED = re.compile(
    r"\W*(i'm sorry|i am sorry|sorry|i apologi[sz]e|i can't|i cannot|i can not|i won't|i'm unable|i'm not able"
    r"|i am unable|i am not able|as an ai)\b"
)
_DENIED = re.compile(
    r"(\b(not|never|no|nor|neither|hardly|without|rather than|instead of)|n't)(\s+[\w']+){0,5}[\s\"']*$"
)
_STATED = (
    r"\b(?:answer|label|verdict|class|classification|category|output)[\"']?(?:\s+(?:is|would be)\b|\s*[:=])[\s:]*"
    r"(?:(?:a|an|the)\s+)?[\"'(\[]*"
)
_OR_ELSE = re.compile(r"[\"')\]]*\s*(/|,?\s*(or|and)\b)")


def find_option(text: str, options: Sequence[str], *, cut: bool = False) -> int | Reason:
    """The number of the option that an answer names, or the reason why it cannot be told.

    Args:
        text: the answer.
        options: no two the same but for what does not matter.
        cut: whether the answer was cut off at its greatest length.
    """
    plain, wanted = plain_text(text), [plain_text(option) for option in options]
    if not plain:
        return Reason.CUT if cut else Reason.EMPTY
    if cut and any(plain.endswith(begun) and whole.startswith(begun + " ") for begun in wanted for whole in wanted):
        return Reason.CUT
    for find in (_alone, _stated):
        if (found := find(plain, wanted)) is not None:
            return found
    if _DECLINED.match(plain):
        return Reason.REFUSED
    return _named(plain, wanted, none=Reason.CUT if cut else Reason.NONE)


def plain_text(text: str) -> str:
    """Without what does not matter: case, markdown, thoughts, kinds of quotes, white space at the ends of lines."""
    bare = _MARKDOWN.sub("", _THOUGHT.sub("", text).translate(_QUOTES).casefold())
    return "\n".join(line for line in (" ".join(line.split()) for line in bare.splitlines()) if line)


def _alone(plain: str, options: Sequence[str]) -> int | None:
    """Rule 1. The option as it stands goes before the option without the punctuation around it."""
    if plain in options:
        return options.index(plain)
    lines = {line.strip(ENDS) or line for line in plain.splitlines()}
    found = [number for number, option in enumerate(options) if (option.strip(ENDS) or option) in lines]
    return found[0] if len(found) == 1 else None


def _stated(plain: str, options: Sequence[str]) -> int | None:
    """Rule 2. "Answer: X or Y" states nothing."""
    stated = list(re.finditer(f"{_STATED}({_words(tuple(options))})", plain))
    if not stated or _OR_ELSE.match(plain, stated[-1].end()):
        return None
    return options.index(stated[-1][1])


def _named(plain: str, options: Sequence[str], *, none: Reason) -> int | Reason:
    """Rule 3."""
    words = tuple(option for option in options if not (len(option) == 1 and option.isalpha() and option.isascii()))
    places = list(re.finditer(_words(words), plain)) if words else []
    named = {place.group() for place in places}
    if len(named) != 1:
        return Reason.SEVERAL if named else none
    if any(_DENIED.search(plain[: place.start()]) for place in places):
        return Reason.DENIED
    return options.index(named.pop())


@lru_cache(maxsize=64)
def _words(options: tuple[str, ...]) -> str:
    """A pattern for any option as a whole word, the longest first."""
    return "|".join(_word(option) for option in sorted(options, key=len, reverse=True))


def _word(option: str) -> str:
    """ "positive" is no word of "non-positive", "1" none of "1.5"."""
    before = r"(?<!\w)(?<!\w-)(?<!\d[.,])" if option[0] < FIRST_SPACELESS else ""
    after = r"(?!\w|-\w|[.,]\d)" if option[-1] < FIRST_SPACELESS else ""
    return before + re.escape(option) + after
