"""Choosing a start without labels: the one whose answers tell most of the rows.

Sorensen et al. 2022 (arXiv 2203.11364) choose among prompts the one with the highest mutual information between input X
and answer Y, I(X; Y) = H(Y) - H(Y | X): its answers are sure row by row and differ between rows. InfoPrompt (Wu et al.
2023, arXiv 2306.04933) takes such information as a loss for the start of prompt tuning.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from blackbox.backends import Backend, Prompt, Usage
from blackbox.errors import SettingError
from blackbox.task import Task

FloatArray = npt.NDArray[np.float64]


def mutual_information(log_probabilities: FloatArray) -> float:
    """H(mean over rows of p) - mean over rows of H(p), nats; from 0 to log n_labels.

    Args:
        log_probabilities: shape (n_rows, n_labels), nats; rows with NaN have no answer and do not count. Rows are
            normalised: an answer that is no label does not count either.

    Returns:
        -inf where no row has an answer.
    """
    answered = log_probabilities[~np.isnan(log_probabilities).any(axis=1)]
    if not len(answered):
        return -np.inf
    p = np.exp(answered - np.logaddexp.reduce(answered, axis=1, keepdims=True))
    return float(_entropy(p.mean(axis=0)) - _entropy(p).mean())


def informations(
    backend: Backend, task: Task, prompts: Sequence[Prompt], *, together: int
) -> list[tuple[float, Usage]]:
    """The mutual information, nats, between the training rows and the answers to them behind each prompt; its cost.

    Args:
        together: prompts of one call of the backend.

    Raises:
        SettingError: the task has no label words.
    """
    if not task.labels:
        raise SettingError("mutual information is that of rows and label words; the task has targets")
    parts = [prompts[first : first + together] for first in range(0, len(prompts), together)]
    scores = [backend.score(part, task.train.queries) for part in parts]
    return [
        (mutual_information(of_prompt), usage)
        for part in scores
        for of_prompt, usage in zip(part.log_probabilities, part.usages, strict=True)
    ]


def _entropy(p: FloatArray) -> FloatArray:
    """-sum p log p over the last axis, nats, with 0 log 0 = 0."""
    entropy: FloatArray = -(p * np.log(np.where(p > 0, p, 1.0))).sum(axis=-1)
    return entropy
