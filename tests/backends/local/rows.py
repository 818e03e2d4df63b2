"""Rows of very different lengths, asked for in every way."""

from blackbox.backends import Capability, Query
from blackbox.backends.local import LocalBackend

_BEFORE = (
    "a quiet film . it was ",
    "the worst evening of my long life and it was bad , a quiet film , it was ",
    "fun ",
)
LABELS = [Query(text, ("great", "bad")) for text in _BEFORE]
WORDS = [Query(text, ("great fun", "bad", "long life and love")) for text in _BEFORE]
LETTERS = [Query(text, ("fine", "bad")) for text in _BEFORE]  # "fine" is four tokens
BEFORE_A_TEXT = [Query(text, ("great", "bad"), " and long") for text in _BEFORE]
WORDS_BEFORE_A_TEXT = [
    Query(text, ("great fun", "bad", "my love"), after)
    for text, after in zip((*_BEFORE, ""), (" .", "", " and a long evening", " about my life"), strict=True)
]
TARGETS = [
    Query(text, (target,)) for text, target in zip(_BEFORE, ("great", "long life and love", "a film"), strict=True)
]
_PASSAGE = "the worst evening of my long life and it was bad , "
ALIKE = [
    Query(f"{_PASSAGE}{end} ", ("great fun .", "bad", "great fun and love", "great film"))
    for end in ("a quiet film", "great love about", "a", "a quiet film about")
] + [Query("fun ", ("great fun .", "bad", "great fun and love", "great film"))]  # fmt: skip


def asked_in_every_way(backend: LocalBackend) -> dict[str, list[Query]]:
    """The sets of rows that a backend takes, by name."""
    rows = {"labels": LABELS, "words": WORDS, "rows that begin alike": ALIKE}
    if Capability.TARGETS in backend.capabilities:
        rows["targets"] = TARGETS
    if Capability.INFILL in backend.capabilities:
        rows |= {"labels before a text": BEFORE_A_TEXT, "words before a text": WORDS_BEFORE_A_TEXT}
    return rows
