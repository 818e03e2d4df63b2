"""A small task that FakeBackend can read (each row holds the word of its label), and settings for quick runs of it."""

from pathlib import Path
from typing import Any

from blackbox import Task
from blackbox.evaluation import Evaluation
from blackbox.files import write_whole

WORDS = {"negative": "bad", "positive": "great"}
TEMPLATE = "{text} It was {label}."
TARGET_TEMPLATE = "{question}\n{label}"
QUICK: dict[str, Any] = {
    "backend": "fake",
    "prompt": "ab",
    "layers": "all",
    "dimension": 4,
    "population": 4,
    "evaluations": 60,
    "slice_size": 3,
    "seed": 1,
}


def make_rows(count: int, *, first: int = 0) -> list[dict[str, object]]:
    """`count` rows, the labels in turn, no two alike."""
    labels = list(WORDS)
    return [
        {"text": f"Day {number} was {WORDS[labels[number % 2]]}.", "label": labels[number % 2]}
        for number in range(first, first + count)
    ]


def make_task(*, train: int = 8, dev: int = 8, test: int = 10, **settings: Any) -> Task:
    """A task with so many rows in each split."""
    return Task(
        make_rows(train),
        **{
            "template": TEMPLATE,
            "label_words": WORDS,
            "dev": make_rows(dev, first=100),
            "test": make_rows(test, first=200),
            **settings,
        },
    )


def make_target_rows(count: int, *, first: int = 0) -> list[dict[str, object]]:
    """`count` rows with a target of their own, no two alike."""
    return [
        {"question": f"What is {number} + {number + 1}?", "target": f"The sum is {2 * number + 1}."}
        for number in range(first, first + count)
    ]


def make_target_task(*, train: int = 8, dev: int = 8, test: int = 10, **settings: Any) -> Task:
    """A task with targets and so many rows in each split."""
    return Task(
        make_target_rows(train),
        **{
            "template": TARGET_TEMPLATE,
            "target_field": "target",
            "dev": make_target_rows(dev, first=100),
            "test": make_target_rows(test, first=200),
            **settings,
        },
    )


def facts(history: tuple[Evaluation, ...]) -> list[tuple[object, ...]]:
    """What two runs with the same seed agree in."""
    return [evaluation.facts for evaluation in history]


def write_toml(path: Path, **settings: object) -> Path:
    """A configuration file."""
    write_whole(path, "".join(f"{key} = {_toml(value)}\n" for key, value in settings.items()).encode())
    return path


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    return str(value).lower() if isinstance(value, bool) else repr(value)
