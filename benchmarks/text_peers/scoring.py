"""One scorer for what all tools have found: the same rows, server, settings and reading."""

import urllib.error
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.text_peers.grading import alike, between, first_word, right
from benchmarks.text_peers.programs.exchange import Found, Messages, ask


def filled(messages: Messages, row: Mapping[str, Any]) -> Messages:
    """Messages with a row in their slots."""
    return [{**one, "content": _filled(one["content"], row)} for one in messages]


def answers(found: Found, rows: Sequence[Mapping[str, Any]], base_url: str, **settings: Any) -> list[str | None]:
    """What the model writes for each row; None where the server refuses the messages (too long)."""
    return [_answer(filled(found.messages, row), base_url, settings) for row in rows]


def graded(
    found: Found, written: Sequence[str | None], wanted: Sequence[str], words: Sequence[str]
) -> dict[str, float | int]:
    """The figures of answers.

    Args:
        found: whose answers.
        written: for each row.
        wanted: for each row, in the task's own words.
        words: the task's label words; none for targets.

    Returns:
        `test`, the share that is right as `grading.right` reads it; `exact`, the share that is right and nothing else;
        `unread`, answers without a label word; `too_long`, rows that the server did not take.
    """
    own = dict(zip(words, found.words, strict=True))
    said = [None if text is None else between(text, found.begin, found.end) for text in written]
    pairs = [(text, own.get(one, one)) for text, one in zip(said, wanted, strict=True) if text is not None]
    return {
        "test": sum(right(text, one, found.words) for text, one in pairs) / len(wanted),
        "exact": sum(alike(text, one) for text, one in pairs) / len(wanted),
        "unread": sum(bool(found.words) and first_word(text, found.words) is None for text, _ in pairs),
        "too_long": len(said) - len(pairs),
    }


def _filled(text: str, row: Mapping[str, Any]) -> str:
    for name, value in row.items():
        text = text.replace(f"<<{name}>>", str(value))
    return text


def _answer(messages: Messages, base_url: str, settings: Mapping[str, Any]) -> str | None:
    try:
        return ask(base_url, messages, **settings)
    except urllib.error.HTTPError as error:
        if error.code != 400:
            raise
        return None
