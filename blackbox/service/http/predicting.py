"""Answers of the prompts that jobs have found: the operator's models, loaded once, a few callers at a time."""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Generic, TypeVar

from blackbox.backends import Backend, MeteredBackend
from blackbox.build import make_backend
from blackbox.filling import Prediction
from blackbox.prediction import Predictor
from blackbox.saved_prompt import SavedPrompt
from blackbox.service.http.errors import UNAVAILABLE, RefusalError
from blackbox.service.http.limits import Limits
from blackbox.service.http.prompts import read_prompt
from blackbox.service.operator import Operator
from blackbox.service.store import Job, Store

_LOCAL = frozenset({"fake", "local"})
_MODELS, _PROMPTS = 2, 16

Value = TypeVar("Value")


class Predicting:
    """See the module.

    Args:
        folder: where the answers of endpoints are kept, a file for each owner.
    """

    def __init__(self, store: Store, operator: Operator, *, limits: Limits, folder: Path) -> None:
        self._store, self._operator, self._folder = store, operator, folder
        self._most = 2 * limits.predictions
        self._waiting = 0
        self._pool = ThreadPoolExecutor(limits.predictions, thread_name_prefix="predict")
        self._models: _Kept[_Model] = _Kept(_MODELS)
        self._prompts: _Kept[SavedPrompt] = _Kept(_PROMPTS)

    async def predict(self, job: Job, rows: Sequence[Mapping[str, object]]) -> list[Prediction]:
        """Answers to rows, in their order, from the prompt that a job has found so far.

        Raises:
            ConflictError: it has found none.
            QuotaError: the owner's USD are used up.
            RefusalError: too many callers wait already (503).
            DataError: a row lacks a field.
            BackendError: the model cannot be loaded, or does not answer.
        """
        if self._waiting >= self._most:
            raise RefusalError(UNAVAILABLE, "too many predictions wait; try again", headers={"retry-after": "2"})
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, self._predict, job, rows)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Take no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _predict(self, job: Job, rows: Sequence[Mapping[str, object]]) -> list[Prediction]:
        saved = self._saved(job)
        self._store.tokens.charge(job.owner, usd=0.0)
        model = self._model(job)
        with model.turn:
            before = model.spent
            try:
                return Predictor(model.backend, saved).predict(rows)
            finally:
                if model.spent > before:
                    self._store.tokens.charge(job.owner, usd=model.spent - before)

    def _saved(self, job: Job) -> SavedPrompt:
        if not job.ended_at:  # the prompt of a job that goes on may be another one by the next call
            return read_prompt(self._store, job)
        return self._prompts.get(job.id, lambda: read_prompt(self._store, job))

    def _model(self, job: Job) -> "_Model":
        config = self._operator.using(job.backend)
        if config.backend in _LOCAL:
            return self._models.get((job.backend,), lambda: _Model(make_backend(config)))
        own = config.model_copy(update={"answers": str(self._folder / f"{job.owner}-{job.backend}.sqlite")})
        return self._models.get((job.backend, job.owner), lambda: _Model(make_backend(own)))


class _Model:
    """A loaded model; one caller at a time."""

    def __init__(self, backend: Backend) -> None:
        self.backend, self.turn = backend, threading.Lock()

    @property
    def spent(self) -> float:
        """USD of all calls so far."""
        return self.backend.spent.usd if isinstance(self.backend, MeteredBackend) else 0.0


class _Kept(Generic[Value]):
    """The last few values by key; each is made once, while whoever wants it waits."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._values: OrderedDict[object, Value] = OrderedDict()

    def get(self, key: object, make: Callable[[], Value]) -> Value:
        """The value of a key, made where there is none."""
        with self._lock:
            if key not in self._values:
                while len(self._values) >= self._most:
                    self._values.popitem(last=False)
                self._values[key] = make()
            self._values.move_to_end(key)
            return self._values[key]
