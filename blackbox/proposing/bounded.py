"""Texts of bounded length: what is fixed stays, what is given is shortened, the longest first."""

from collections.abc import Sequence
from dataclasses import dataclass

ELLIPSIS = "…"


@dataclass(frozen=True)
class Given:
    """A part that comes from outside, and may be shortened."""

    text: str


def bounded(parts: Sequence[str | Given], limit: int) -> str:
    """The parts, one behind the other, at most `limit` characters long if the fixed ones leave room.

    Where all do not fit, those that are longer than the others share the room that these leave.
    """
    room = limit - sum(len(part) for part in parts if isinstance(part, str))
    most = _most([len(part.text) for part in parts if isinstance(part, Given)], room)
    return "".join(part if isinstance(part, str) else shortened(part.text, most) for part in parts)


def shortened(text: str, most: int) -> str:
    """The text, or its beginning and an ellipsis: at most `most` characters, at least one."""
    return text if len(text) <= most else text[: max(0, most - 1)].rstrip() + ELLIPSIS


def _most(lengths: Sequence[int], room: int) -> int:
    """The longest that each may be so that all fit."""
    left, waiting = room, len(lengths)
    for length in sorted(lengths):
        if length * waiting > left:
            return max(1, left // waiting)
        left, waiting = left - length, waiting - 1
    return max(lengths, default=0)
