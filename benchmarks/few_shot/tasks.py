"""The tasks: from the folder of the benchmark data, or where there is none from the Hugging Face hub."""

from collections.abc import Mapping
from typing import Any

from benchmarks.data import MissingDataError
from benchmarks.published import TASKS, published_task
from blackbox import Task
from blackbox.data import load
from blackbox.errors import DataError
from blackbox.published.sources import source_of

HUB: Mapping[str, str] = {
    "sst2": "glue/sst2",
    "agnews": "ag_news",
    "dbpedia14": "dbpedia_14",
    "mrpc": "glue/mrpc",
    "snli": "snli",
    "rte": "glue/rte",
    "trec": "trec",
}
"""What `blackbox.data.load` calls them."""


def make_task(name: str, seed: int, *, test_rows: int, infills: bool = False) -> Task:
    """A task with the split of a seed and the first test rows.

    Args:
        infills: in the papers' own wording, for models that see what stands behind the label.

    Raises:
        MissingDataError: there is neither a folder nor a way to the hub.
    """
    terms = wording(name, infills=infills)
    try:
        return published_task(name, seed, test_rows=test_rows, **terms)
    except MissingDataError as missing:
        try:
            loaded = load(HUB[name], seed=seed)
        except DataError as error:
            raise MissingDataError(f"{missing}; {error}") from error
        return loaded.task(test=loaded.test[:test_rows], **terms)


def wording(name: str, *, infills: bool) -> dict[str, Any]:
    """Template, label words and metric of a task, by the names of the arguments of `Task`."""
    own, source = TASKS[name], source_of(HUB[name])
    if not infills:
        return {"template": own.template, "label_words": own.words, "metric": own.metric}
    words = dict(zip(source.labels, source.infilled.words, strict=True))
    return {"template": source.infilled.template, "label_words": words, "metric": own.metric}
