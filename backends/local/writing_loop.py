"""Writing, token by token, until each sequence has ended; those that have ended are left out from then on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from blackbox.backends.local.continuing import Continuing
from blackbox.backends.local.next_token import NO_TOKEN, Choose


@dataclass(frozen=True)
class Rules:
    """What is written and when it ends.

    Attributes:
        choose: the next token of each sequence.
        ends: tokens that end a text.
        most: of each sequence, the tokens written at most.
        stopped: whether a text of these tokens has ended, with stop texts; None where there are none.
    """

    choose: Choose
    ends: frozenset[int]
    most: Sequence[int]
    stopped: Callable[[Sequence[int]], bool] | None


@dataclass(frozen=True)
class Line:
    """What is written to a sequence.

    Attributes:
        tokens: with the one that ends it, if one does.
        cut: whether it ends because no more may be written.
        failed: whether the logits were no finite numbers.
    """

    tokens: tuple[int, ...]
    cut: bool = False
    failed: bool = False


def write(continuing: Continuing, rules: Rules) -> list[Line]:
    """The line of each sequence."""
    tokens: list[list[int]] = [[] for _ in rules.most]
    lines: dict[int, Line] = {}
    going = list(range(len(tokens)))
    logits = continuing.begin()
    while True:
        for number, token in zip(going, rules.choose(logits, going), strict=True):
            if token == NO_TOKEN:
                lines[number] = Line(tuple(tokens[number]), failed=True)
            else:
                tokens[number].append(token)
                if (ended := _ended(tokens[number], rules, rules.most[number])) is not None:
                    lines[number] = ended
        places = [place for place, number in enumerate(going) if number not in lines]
        if not places:
            return [lines[number] for number in range(len(tokens))]
        if len(places) < len(going):
            continuing.keep(places)
            going = [going[place] for place in places]
        logits = continuing.go_on([tokens[number][-1] for number in going])


def _ended(tokens: Sequence[int], rules: Rules, most: int) -> Line | None:
    """The line, if it ends with its latest token."""
    if tokens[-1] in rules.ends or (rules.stopped and rules.stopped(tokens)):
        return Line(tuple(tokens))
    return Line(tuple(tokens), cut=True) if len(tokens) >= most else None
