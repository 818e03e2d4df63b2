"""Why an answer never becomes an instruction."""

from enum import StrEnum


class Refusal(StrEnum):
    """See the module; the values stand in logs and counts."""

    MISSING = "no answer"
    CUT = "cut off"
    UNREADABLE = "no instruction to be found"
    EMPTY = "empty"
    LONG = "too long"
    KNOWN = "there already"
    COPIED = "copies a training row"
    ECHOED = "repeats the request"
    DECLINED = "declined by the model"
    NUMBERS = "mostly numbers"
    REPEATED = "repeats itself"
    POOR = "says too little"
    TALK = "speaks of instructions"
    ANSWER = "an answer, no instruction"
