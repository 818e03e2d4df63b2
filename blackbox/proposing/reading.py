"""The instruction in what a model has written: tolerant of forms, but what may be half of one is refused.

An answer that was cut off, or read wrongly, and adopted all the same is how other searches have ended with half a
sentence as their best prompt (gepa#390).
"""

import re

from blackbox.backends import Written
from blackbox.proposing.refusal import Refusal

_TAG = re.compile(r"</?\s*prompt\s*>", re.IGNORECASE)
_FENCE = re.compile(r"^```\w*\n(.*?)\n?```$", re.DOTALL)
_LABEL = re.compile(
    r"^\W*(?:the\s+)?(?:(?:final|new|better|improved|revised)\s+)*(?:prompt|instruction)s?\W*:(?:\*\*)?\s*",
    re.IGNORECASE,
)
_CHATTER = re.compile(
    r"^(?:\d+[.)]\s|(?:sure|certainly|of course|okay|ok|here(?:'s| is| are)|let me|step \d|to (?:create|improve|write)|"
    r"i(?:'ll| will| would| have|'ve)|the (?:final|new|better|improved|revised))\b)",
    re.IGNORECASE,
)
_DECLINED = re.compile(
    r"^(?:i(?:'m| am) (?:sorry|unable|afraid|not able)|sorry\b|i (?:can't|cannot|can not|won't)|as an ai\b|"
    r"i apologi[sz]e|unfortunately,? i)",
    re.IGNORECASE,
)
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’", "«": "»", "**": "**"}


def read(written: Written | None) -> str | Refusal:
    """The instruction, or why there is none.

    With tags it is what the last pair holds; an opening tag behind that pair begins another, which counts instead. A
    text without tags, or with one of a pair, must be a single paragraph that says nothing about itself, and whole.
    """
    if written is None:
        return Refusal.MISSING
    text = written.text.replace("’", "'").strip()
    if not text:
        return Refusal.CUT if written.cut else Refusal.EMPTY
    if _DECLINED.search(text):
        return Refusal.DECLINED
    found = _between_tags(text, cut=written.cut)
    if isinstance(found, Refusal):
        return found
    instruction = _bare(found)
    if not instruction:
        return Refusal.EMPTY
    return Refusal.DECLINED if _DECLINED.search(instruction) else instruction


def _between_tags(text: str, *, cut: bool) -> str | Refusal:
    tags = list(_TAG.finditer(text))
    opening = [tag for tag in tags if not tag.group().startswith("</")]
    closing = [tag for tag in tags if tag.group().startswith("</")]
    if opening and closing and opening[-1].end() <= closing[-1].start():
        return text[opening[-1].end() : closing[-1].start()]
    if cut:
        return Refusal.CUT
    if opening and closing:  # another begins behind the last pair
        return _whole(text[opening[-1].end() :])
    if opening:
        return _whole(text[opening[-1].end() :])
    return _whole(text[: closing[0].start()] if closing else text)


def _whole(text: str) -> str | Refusal:
    """A text that no pair of tags holds."""
    bare = _bare(text)
    if "\n" in bare or _CHATTER.search(bare) or bare.endswith(":"):
        return Refusal.UNREADABLE
    return bare


def _bare(text: str) -> str:
    """The text without a fence, a label such as "Final prompt:" and quotes around all of it."""
    text = text.strip()
    if fenced := _FENCE.search(text):
        text = fenced.group(1).strip()
    text = _LABEL.sub("", text, count=1).strip()
    for start, end in _QUOTES.items():
        inner = text[len(start) : -len(end)]
        if len(text) > len(start + end) and text.startswith(start) and text.endswith(end) and start not in inner:
            return inner.strip()
    return text
