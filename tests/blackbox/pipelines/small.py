"""A classifier on the fake backend whose runs take milliseconds, and rows for it."""

from typing import Any

import pytest

from tests.blackbox.small import QUICK, TEMPLATE, WORDS, make_rows

pytest.importorskip("sklearn")

from blackbox.pipelines import PromptClassifier

SETTINGS = {name: QUICK[name] for name in ("layers", "dimension", "population", "slice_size")}


def make_classifier(**parameters: Any) -> PromptClassifier:
    """A classifier that finds a perfect prompt of the fake backend."""
    given = {
        **{"backend": "fake", "template": TEMPLATE, "label_words": WORDS, "prompt": "ab", "evaluations": 60},
        **{"random_state": 1, "settings": SETTINGS},
    }
    return PromptClassifier(**{**given, **parameters})


def make_texts(count: int, *, first: int = 0) -> tuple[list[str], list[str]]:
    """Texts and their labels."""
    rows = make_rows(count, first=first)
    return [str(row["text"]) for row in rows], [str(row["label"]) for row in rows]
