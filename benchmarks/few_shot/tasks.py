"""The tasks: from the folder of the benchmark data, or where there is none from the Hugging Face hub."""

from collections.abc import Mapping

from benchmarks.data import MissingDataError
from benchmarks.published import TASKS, published_task
from blackbox import Task
from blackbox.data import load
from blackbox.errors import DataError

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


def make_task(name: str, seed: int, *, test_rows: int) -> Task:
    """A task with the split of a seed and the first test rows.

    Raises:
        MissingDataError: there is neither a folder nor a way to the hub.
    """
    try:
        return published_task(name, seed, test_rows=test_rows)
    except MissingDataError as missing:
        own = TASKS[name]
        try:
            loaded = load(HUB[name], seed=seed)
        except DataError as error:
            raise MissingDataError(f"{missing}; {error}") from error
        terms = {"template": own.template, "label_words": own.words, "metric": own.metric}
        return loaded.task(test=loaded.test[:test_rows], **terms)
