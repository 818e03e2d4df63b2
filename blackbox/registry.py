"""Names for optimizers, prompt spaces and backends. Built-ins are registered as anybody's are.

A package of yours adds a name through an entry point (group "blackbox.optimizers", "blackbox.spaces" or
"blackbox.backends") that names the factory, or by `OPTIMIZERS.add("name", factory)`.
"""

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Generic, Protocol, TypeVar

from blackbox.backends import Backend
from blackbox.config import Config
from blackbox.errors import unknown_name
from blackbox.optimizers import Domain, Optimizer
from blackbox.spaces import PromptSpace
from blackbox.task import Task

F = TypeVar("F", bound=Callable[..., object])


class OptimizerFactory(Protocol):
    """Makes an optimizer of what a prompt space has, numbers or choices.

    Args:
        variant: what stands behind the first colon of the name, e.g. "cma-es" of "blockwise:cma-es"; often "".
        domain: the dimension, blocks and, of choices, numbers of categories.
        config: the run's settings.
        seed: of the optimizer's random generator.

    Raises:
        UnfitOptimizerError: it searches numbers, and these are choices, or the other way round.
    """

    def __call__(self, variant: str, domain: Domain, config: Config, seed: int) -> Optimizer: ...


class SpaceFactory(Protocol):
    """Makes a prompt space for a backend and a task."""

    def __call__(self, backend: Backend, task: Task, config: Config) -> PromptSpace: ...


class BackendFactory(Protocol):
    """Makes a backend from the settings."""

    def __call__(self, config: Config) -> Backend: ...


class Registry(Generic[F]):
    """Factories by name."""

    def __init__(self, what: str, group: str) -> None:
        """`what` stands in errors ("optimizer"), `group` is the entry point group that strangers register in."""
        self._what, self._group = what, group
        self._factories: dict[str, F] = {}

    def add(self, name: str, factory: F) -> None:
        """Register a factory; a later one of the same name replaces the earlier."""
        self._factories[name] = factory

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted({*self._factories, *entry_points(group=self._group).names})

    def get(self, name: str) -> F:
        """The factory of a name.

        Raises:
            UnknownNameError: nothing is registered under it; the text has the nearest known name.
        """
        if name in self._factories:
            return self._factories[name]
        for entry in entry_points(group=self._group, name=name):
            self.add(name, entry.load())
            return self._factories[name]
        raise unknown_name(self._what, name, self.names())


OPTIMIZERS: Registry[OptimizerFactory] = Registry("optimizer", "blackbox.optimizers")
SPACES: Registry[SpaceFactory] = Registry("space", "blackbox.spaces")
BACKENDS: Registry[BackendFactory] = Registry("backend", "blackbox.backends")
