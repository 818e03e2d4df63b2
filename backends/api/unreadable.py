"""Answers in which no option can be read: missing, with the reason; never a zero and never the first option."""

from dataclasses import dataclass
from enum import StrEnum

from blackbox.backends.api.answer import Answer


class Reason(StrEnum):
    """Why an answer cannot be read. Few, so that they can be counted."""

    EMPTY = "the answer is empty"
    FILTERED = "a content filter stopped the answer"
    TOOL = "the model called a tool"
    REFUSED = "the model declined to answer"
    CUT = "the answer was cut off before it named an option"
    NONE = "the answer names no option"
    SEVERAL = "the answer names several options"
    DENIED = "the answer says which option it is not"
    UNTOLD = "the endpoint told no log-probabilities"
    UNSHOWN = "no option is among the tokens shown"
    AMBIGUOUS = "the most probable tokens begin several options each"


@dataclass(frozen=True)
class Unreadable:
    """What a reader says of an answer that it cannot read."""

    reason: Reason


def stopped(answer: Answer) -> Reason | None:
    """The reason not to look at an answer at all, if there is one."""
    if answer.finish == "content_filter":
        return Reason.FILTERED
    if answer.finish in ("tool_calls", "tool_use", "function_call"):
        return Reason.TOOL
    if answer.finish == "refusal":
        return Reason.REFUSED
    return None
