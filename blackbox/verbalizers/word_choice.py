"""Which words stand for which labels: candidates, and combinations of them, from one table of log-probabilities.

Candidates of a label are the tokens that the model finds likeliest in the blanks of the label's training rows
(LM-BFF, arXiv 2012.15723, section 5.1), and those that it finds likelier there than in the other labels' rows, as a
ratio (PETAL, arXiv 2010.13641, section 4.2). LM-BFF then takes the combinations with the highest accuracy on the
training rows; few rows make many ties there, so the task's own loss is taken here, and all combinations are not gone
through but reached by changing one label's word at a time, from several starts.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
LabelArray = npt.NDArray[np.int64]
Losses = Callable[[FloatArray, LabelArray], FloatArray]
"""Log-probabilities (n, n_rows, n_labels), nats, and labels (n_rows,) -> the n losses, as a `blackbox.losses.Loss`."""

_LIKELY = 1000  # of which the ratio is taken: of rare tokens it is noise
_STEPS = 40  # from one start: changes of one label's word


def candidate_words(log_probabilities: FloatArray, labels: LabelArray, *, count: int) -> list[list[int]]:
    """The words that may stand for each label: half by likelihood, half by ratio, as far as they differ.

    Args:
        log_probabilities: of each word in the blank of each training row, shape (n_rows, n_words), nats.
        labels: of the rows, shape (n_rows,); each from 0 to n_labels - 1 has a row.
        count: words of a label at most.

    Returns:
        Columns of the table, the likeliest first, for each label.
    """
    means = np.array([log_probabilities[labels == label].mean(axis=0) for label in range(int(labels.max()) + 1)])
    found = []
    for label, of_label in enumerate(means):
        likeliest = np.argsort(-of_label, kind="stable")[:_LIKELY]
        others = np.delete(means, label, axis=0).max(axis=0)
        telling = likeliest[np.argsort(-(of_label - others)[likeliest], kind="stable")]
        half = count - count // 2
        chosen = dict.fromkeys([*likeliest[:half].tolist(), *telling.tolist()])
        found.append(list(chosen)[:count])
    return found


def combinations(
    log_probabilities: FloatArray,
    labels: LabelArray,
    candidates: Sequence[Sequence[int]],
    loss: Losses,
    *,
    start: tuple[int, ...] | None = None,
) -> dict[tuple[int, ...], float]:
    """Combinations of different words, one a label, with their training losses, the lowest first.

    All that a descent from each start has met: one label's word is changed at a time, to the one with the lowest loss
    beside the others, until none changes. Starts are the likeliest words, the most telling ones, and the given one.

    Args:
        log_probabilities, labels: as of `candidate_words`.
        candidates: as it returns them.
        loss: of the task.
        start: the columns of the given words, if all of them have one.
    """
    met: dict[tuple[int, ...], float] = {}

    def losses(choices: Sequence[tuple[int, ...]]) -> None:
        table = np.moveaxis(log_probabilities[:, np.array(choices)], 0, 1)
        table = table - np.logaddexp.reduce(table, axis=-1, keepdims=True)
        met.update(zip(choices, loss(table, labels).tolist(), strict=True))

    telling = [[*words[len(words) // 2 :], *words[: len(words) // 2]] for words in candidates]
    starts = [_first_words(candidates), _first_words(telling), *([start] if start else [])]
    for first in dict.fromkeys(starts):
        current = first
        losses([current])
        for _ in range(max(1, _STEPS // len(candidates))):
            before = current
            for label, words in enumerate(candidates):
                others = {*current[:label], *current[label + 1 :]}
                choices = [(*current[:label], word, *current[label + 1 :]) for word in words if word not in others]
                losses(choices)
                current = min([current, *choices], key=met.__getitem__)
            if current == before:
                break
    return dict(sorted(met.items(), key=lambda one: one[1]))


def _first_words(candidates: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The first word of each label that no label before has."""
    chosen: list[int] = []
    for words in candidates:
        chosen.append(next((word for word in words if word not in chosen), words[0]))
    return tuple(chosen)
