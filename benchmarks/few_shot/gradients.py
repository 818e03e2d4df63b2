"""Training with gradients, as the searches without: the same loss, rows, start and selection.

AdamW without weight decay, batches of 8, a constant learning rate, the norm of gradients cut at 1, no dropout. The loss
is the cross-entropy over the label words. After each epoch, and before the first, the dev rows are looked at; the state
with the best metric, ties broken by the loss, is kept, over all learning rates that are tried.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from benchmarks.few_shot.adapters import ADAPTERS
from benchmarks.few_shot.asking import AskedRow, Asker
from benchmarks.few_shot.fitted import Fitted
from blackbox import Task
from blackbox.backends.local import LocalBackend
from blackbox.backends.local.encoding import QueryEncoder
from blackbox.metrics import METRICS
from blackbox.split import Split

BATCH, AT_ONCE, MOST_NORM = 8, 8, 1.0


@dataclass(frozen=True)
class Look:
    """A state of the tuned numbers on the dev rows; the lower `rank`, the better."""

    rate: float
    epoch: int
    metric: float
    loss: float
    state: tuple[Tensor, ...]

    @property
    def rank(self) -> tuple[float, float]:
        return -self.metric, self.loss


def train(
    backend: LocalBackend,
    encoder: QueryEncoder,
    task: Task,
    *,
    kind: str,
    start: Sequence[int],
    rates: Sequence[float],
    epochs: int,
    seed: int,
) -> Fitted:
    """Tune what `ADAPTERS` has for a kind.

    Raises:
        UnfitError: there is none for this model.
    """
    torch.manual_seed(seed)
    asker, tunable = ADAPTERS[kind](backend, encoder, start)
    first = _state(tunable)
    looks = [_look(asker, tunable, task, rate=0.0, epoch=0)]
    for rate in rates:
        _load(tunable, first)
        for epoch in _epochs(asker, tunable, task, rate=rate, epochs=epochs, seed=seed):
            looks.append(_look(asker, tunable, task, rate=rate, epoch=epoch))
            looks = [min(looks, key=lambda look: look.rank)]  # what is worse need not be held
    best = looks[0]
    _load(tunable, best.state)
    n_trained = epochs * len(rates) * len(task.train)
    return Fitted(
        lambda split: _scores(asker, split).argmax(axis=-1),
        forward_rows=n_trained + (1 + epochs * len(rates)) * len(task.dev),
        backward_rows=n_trained,
        tunable=sum(parameter.numel() for parameter in tunable),
        details={"rate": best.rate, "epoch": best.epoch, "dev": best.metric, "dev_loss": best.loss},
    )


def _epochs(
    asker: Asker, tunable: list[nn.Parameter], task: Task, *, rate: float, epochs: int, seed: int
) -> Iterator[int]:
    """Trains; yields the number of each epoch when it is done."""
    rows, labels = asker.rows(task.train.queries), torch.from_numpy(task.train.labels)
    optimizer, rng = torch.optim.AdamW(tunable, lr=rate, weight_decay=0.0), np.random.default_rng(seed)
    for epoch in range(1, epochs + 1):
        order = rng.permutation(len(rows))
        for places in np.split(order, range(BATCH, len(rows), BATCH)):
            told = asker.log_probabilities([rows[place] for place in places], n_options=len(task.labels))
            optimizer.zero_grad()
            nn.functional.nll_loss(told, labels[places]).backward()
            nn.utils.clip_grad_norm_(tunable, MOST_NORM)
            optimizer.step()
        yield epoch


def _look(asker: Asker, tunable: list[nn.Parameter], task: Task, *, rate: float, epoch: int) -> Look:
    told, labels = _scores(asker, task.dev), task.dev.labels
    metric = METRICS[str(task.metric or "accuracy")](told.argmax(axis=-1), labels, len(task.labels))
    loss = -float(told[np.arange(len(labels)), labels].mean())
    return Look(rate, epoch, metric.value, loss, _state(tunable))


@torch.no_grad()
def _scores(asker: Asker, split: Split) -> npt.NDArray[np.float64]:
    """Of the label words, shape (n_rows, n_labels), nats; rows of a length are read together."""
    rows = asker.rows(split.queries)
    order = sorted(range(len(rows)), key=lambda number: _length(rows[number]))
    scores = np.zeros((len(rows), len(split.queries[0].options)))
    for first in range(0, len(order), AT_ONCE):
        places = order[first : first + AT_ONCE]
        told = asker.log_probabilities([rows[place] for place in places], n_options=scores.shape[1])
        scores[places] = told.double().numpy()
    return scores


def _length(row: AskedRow) -> int:
    return max(map(len, row.paths))


def _state(tunable: Sequence[nn.Parameter]) -> tuple[Tensor, ...]:
    return tuple(parameter.detach().clone() for parameter in tunable)


@torch.no_grad()
def _load(tunable: Sequence[nn.Parameter], state: Sequence[Tensor]) -> None:
    for parameter, kept in zip(tunable, state, strict=True):
        parameter.copy_(kept)
