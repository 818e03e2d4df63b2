"""Spaces of vectors by name: a start, the spread of what is moved, and a projection."""

from collections.abc import Sequence

from blackbox.backends import Backend, Capability, PrefixBackend, VectorBackend, require
from blackbox.config import Config
from blackbox.errors import SettingError
from blackbox.registry import SPACES
from blackbox.seeds import part_seed
from blackbox.spaces import DeepSpace, PrefixSpace, SoftSpace
from blackbox.spaces.layer_projections import ProjectionOfLayer
from blackbox.spaces.layers import parse_layers
from blackbox.starts import make_start
from blackbox.task import Task


def deep_space(backend: Backend, task: Task, config: Config) -> DeepSpace:
    """Vectors for the layers that the settings name."""
    vector = vector_backend(backend, Capability.DEEP)
    tokens = make_start(vector, task, config)
    layers = parse_layers(config.layers, vector.shape.n_layers)
    stds = vector.hidden_stds(tokens, task.train.queries)
    return DeepSpace(
        tokens,
        {layer: float(stds[layer]) for layer in layers},
        vector.shape.hidden_size,
        dimension=config.dimension,
        alpha=config.alpha,
        projection=projection_of(vector, tokens, task, config, layers),
        seed=part_seed(config.seed, "projection"),
    )


def soft_space(backend: Backend, task: Task, config: Config) -> SoftSpace:
    """Vectors for the input."""
    vector = vector_backend(backend, Capability.SOFT)
    return soft_behind(vector, make_start(vector, task, config), task, config)


def soft_behind(backend: VectorBackend, tokens: Sequence[int], task: Task, config: Config) -> SoftSpace:
    """Vectors for the input, at tokens of the caller's choice."""
    return SoftSpace(
        tokens,
        float(backend.hidden_stds(tokens, task.train.queries)[0]),
        backend.shape.hidden_size,
        dimension=config.dimension,
        alpha=config.alpha,
        projection=projection_of(backend, tokens, task, config, (0,)),
        seed=part_seed(config.seed, "projection"),
    )


def prefix_space(backend: Backend, task: Task, config: Config) -> PrefixSpace:
    """Keys and values for the layers that the settings name."""
    vector = vector_backend(backend, Capability.PREFIX)
    if not isinstance(vector, PrefixBackend):
        raise SettingError(f"backend {backend.name!r} says it takes prefix prompts but is no PrefixBackend")
    tokens = make_start(vector, task, config)
    layers = parse_layers(config.layers, vector.shape.n_layers)
    return PrefixSpace(
        vector.prefix_of(tokens),
        layers,
        dimension=config.dimension,
        alpha=config.alpha,
        projection=projection_of(vector, tokens, task, config, layers),
        seed=part_seed(config.seed, "projection"),
    )


def projection_of(
    backend: VectorBackend, tokens: Sequence[int], task: Task, config: Config, layers: Sequence[int]
) -> str | ProjectionOfLayer:
    """The projection that the settings name, for prompts that start from these tokens."""
    return config.projection


def vector_backend(backend: Backend, needed: Capability) -> VectorBackend:
    """The same backend, as one whose hidden states can be changed.

    Raises:
        UnsupportedPromptError, SettingError: it is none.
    """
    require(backend, needed)
    if not isinstance(backend, VectorBackend):
        raise SettingError(f"backend {backend.name!r} says it takes {needed.value} but is no VectorBackend")
    return backend


SPACES.add("deep", deep_space)
SPACES.add("prefix", prefix_space)
SPACES.add("soft", soft_space)
