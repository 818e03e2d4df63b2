"""Models that classifiers of this process share: one that is loaded serves every clone and every fold."""

from weakref import WeakValueDictionary

from blackbox.backends import Backend
from blackbox.loaded_models import LoadedModels

MODELS = LoadedModels()
_SEEN: WeakValueDictionary[str, Backend] = WeakValueDictionary()


def forget_models() -> None:
    """Let the models go that classifiers have loaded; one that is asked again loads its own anew."""
    MODELS.forget()


def remember(backend: Backend) -> None:
    """Keep in mind a backend that was given as an object, for as long as somebody else holds it."""
    _SEEN[backend.model_hash] = backend


def remembered(model_hash: str) -> Backend | None:
    """A backend with these weights that was given as an object in this process; None where there is none any more."""
    return _SEEN.get(model_hash)
