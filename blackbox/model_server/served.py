"""A backend as the model server sees it."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from blackbox.backends import Backend, GeneratingBackend, PrefixBackend, Prompt, StatesBackend
from blackbox.backends.base import Capability
from blackbox.backends.errors import BackendSettingError
from blackbox.backends.remote.description import Description, Limits, ShapeValues


@runtime_checkable
class ServableBackend(PrefixBackend, StatesBackend, GeneratingBackend, Protocol):
    """What can be served: a backend that answers every kind of call. What it cannot do, its capabilities say."""


@runtime_checkable
class FactualBackend(Backend, Protocol):
    """A backend that says what its model is."""

    @property
    def facts(self) -> Mapping[str, str]:
        """`family`, `dtype` and `device`."""
        ...


@runtime_checkable
class PassingBackend(Backend, Protocol):
    """A backend that reads some prompts of a call in one pass, so that their rounding depends on each other."""

    def read_together(self, first: Prompt, second: Prompt) -> bool:
        """Whether two prompts that follow each other in a call share passes."""
        ...


def servable(backend: Backend) -> ServableBackend:
    """The backend, if every kind of call can be handed to it.

    Raises:
        BackendSettingError: it takes no vectors, does not write or shows no states.
    """
    if isinstance(backend, ServableBackend):
        return backend
    raise BackendSettingError(f"a model server needs a backend with vectors, states and text, got {backend.name!r}")


def described(backend: ServableBackend, limits: Limits, *, single_token_labels: bool) -> Description:
    """What the server says of its model."""
    facts = backend.facts if isinstance(backend, FactualBackend) else {}
    return Description(
        name=backend.name,
        model_hash=backend.model_hash,
        family=facts.get("family", backend.name),
        dtype=facts.get("dtype", "float32"),
        device=facts.get("device", "cpu"),
        single_token_labels=single_token_labels,
        capabilities=sorted(Capability(one).name for one in backend.capabilities),
        shape=ShapeValues(**vars(backend.shape)),
        limits=limits,
    )
