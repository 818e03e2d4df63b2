"""Models that one run has loaded, kept for the next run that names the same one.

Whoever does several runs in a row holds a `LoadedModels` and does each run within `shared`. When a run asks for a model
that is not there, those that this run has not asked for are let go first: memory holds what one run needs, and runs in
the order of their models load each model once. Only models of this process are kept; one behind an endpoint has the
budget of its run.
"""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

from blackbox.backends import Backend
from blackbox.config import Config, ModelSettings
from blackbox.registry import BackendFactory

Key: TypeAlias = tuple[object, ...]

_KEY = tuple(name for name in ModelSettings.model_fields if name != "answer_tokens")  # a task's: no model depends on it


def model_key(config: Config) -> Key:
    """What two runs with the same model have in common."""
    return (*(getattr(config, name) for name in _KEY), config.threads_of_worker)


class LoadedModels:
    """See the module."""

    def __init__(self) -> None:
        self._held: dict[Key, Backend] = {}
        self._asked: set[Key] = set()
        self._loading = threading.Lock()  # several threads may ask for one model

    @contextmanager
    def shared(self) -> Iterator[None]:
        """What is loaded inside, in this thread, comes from here."""
        self._asked.clear()
        token = _PRESENT.set(self)
        try:
            yield
        finally:
            _PRESENT.reset(token)

    def get(self, config: Config, load: BackendFactory) -> Backend:
        """The model of the settings: the one that is there, or what `load` makes of them."""
        key = model_key(config)
        with self._loading:
            self._asked.add(key)
            if key not in self._held:
                self._let_go()
                self._held[key] = load(config)
            return self._held[key]

    def forget(self) -> None:
        """Let all of them go."""
        with self._loading:
            self._held.clear()
            gc.collect()

    def _let_go(self) -> None:
        for key in self._held.keys() - self._asked:
            del self._held[key]
        gc.collect()  # networks are full of cycles, and the next one needs the room


_PRESENT: ContextVar[LoadedModels | None] = ContextVar("loaded models", default=None)


def once(load: BackendFactory) -> BackendFactory:
    """A factory of backends that, within `LoadedModels.shared`, loads no model twice."""

    def shared(config: Config) -> Backend:
        models = _PRESENT.get()
        return models.get(config, load) if models else load(config)

    return shared
