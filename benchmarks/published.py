"""The benchmark tasks as BBT and BBTv2 (arXiv 2201.03514, 2205.11200) ask them, behind models that read left to right.

Published 16-shot splits. The papers' templates have the label word last for SST-2; the others put it in front or in the
middle, for masked models, and stand here with the same words behind the text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.data import data_folder
from blackbox import Task, read_rows


@dataclass(frozen=True)
class Published:
    """A template, label -> word, and the metric that the papers report."""

    template: str
    words: Mapping[str, str]
    metric: str = "accuracy"


TASKS = {
    "sst2": Published("{text} . It was {label} .", {"negative": "bad", "positive": "great"}),
    "agnews": Published(
        "{text} News: {label}",
        {"world": "World", "sports": "Sports", "business": "Business", "technology": "Tech"},
    ),
    "trec": Published(
        "{text} Answer type: {label}",
        {
            "description": "Description",
            "entity": "Entity",
            "abbreviation": "Expression",
            "human": "Human",
            "location": "Location",
            "number": "Number",
        },
    ),
    "dbpedia14": Published(
        "{text} Category: {label}",
        {
            "company": "Company",
            "educational institution": "Education",
            "artist": "Artist",
            "athlete": "Athlete",
            "office holder": "Office",
            "transportation": "Transportation",
            "building": "Building",
            "natural place": "Natural",
            "village": "Village",
            "animal": "Animal",
            "plant": "Plant",
            "album": "Album",
            "film": "Film",
            "written work": "Written",
        },
    ),
    "mrpc": Published(
        "{text} Is this the same: {text_pair} ? {label}", {"not_equivalent": "No", "equivalent": "Yes"}, "macro-f1"
    ),
    "rte": Published("{text} ? {text_pair} {label}", {"entailment": "Yes", "not_entailment": "No"}),
    "snli": Published("{text} ? {text_pair} {label}", {"entailment": "Yes", "neutral": "Maybe", "contradiction": "No"}),
}
"""By name."""


def published_task(name: str, seed: int, *, test_rows: int, **terms: Any) -> Task:
    """A task with the split of a seed and the first test rows.

    Args:
        name: in `TASKS`.
        seed: 13, 21, 42, 87 or 100.
        test_rows: at most.
        terms: of the task, in the place of these.

    Raises:
        MissingDataError: the data is not there.
    """
    published, folder = TASKS[name], data_folder(name)
    given: dict[str, Any] = {
        "template": published.template,
        "label_words": published.words,
        "metric": published.metric,
        **terms,
    }
    return Task(
        read_rows(folder / f"fewshot16/seed{seed}_train.jsonl"),
        dev=read_rows(folder / f"fewshot16/seed{seed}_dev.jsonl"),
        test=read_rows(folder / "test.jsonl")[:test_rows],
        **given,
    )
