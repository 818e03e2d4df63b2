"""Spaces of vectors by name: a start, the spread of what is moved, and a projection."""

from collections.abc import Callable, Mapping, Sequence

from blackbox.backends import Backend, Capability, PrefixBackend, PrefixPrompt, StatesBackend, VectorBackend, require
from blackbox.config import Config
from blackbox.errors import SettingError
from blackbox.opening import BANK, NOTHING, Opening
from blackbox.opening_directions import displaced_keys_values, displacements
from blackbox.registry import SPACES
from blackbox.seeds import part_seed
from blackbox.spaces import DecomposedSpace, DeepSpace, PrefixSpace, PromptSpace, SoftSpace
from blackbox.spaces.bank_projection import BankProjection
from blackbox.spaces.layer_projections import FloatArray, ProjectionOfLayer
from blackbox.spaces.layers import parse_layers
from blackbox.spaces.low_rank import LowRank
from blackbox.spaces.multi_space import MultiSpace
from blackbox.spaces.prefix import seen_keys_values
from blackbox.spaces.seen_projections import OF_STATES
from blackbox.starts import make_start
from blackbox.task import Task

_TEXTS_SEEN = 16
"""Training rows whose keys and values are looked at: each is a call."""


def deep_space(backend: Backend, task: Task, config: Config, opening: Opening = NOTHING) -> DeepSpace:
    """Vectors for the layers that the settings name."""
    vector = vector_backend(backend, Capability.DEEP)
    tokens = _tokens(vector, task, config, opening)
    layers = parse_layers(config.layers, vector.shape.n_layers)
    projection = projection_of(vector, tokens, task, config, layers, opening)
    return deep_behind(vector, tokens, task, config, layers=layers, projection=projection, start=opening.vectors)


def soft_space(backend: Backend, task: Task, config: Config, opening: Opening = NOTHING) -> SoftSpace:
    """Vectors for the input."""
    vector = vector_backend(backend, Capability.SOFT)
    tokens = _tokens(vector, task, config, opening)
    projection = projection_of(vector, tokens, task, config, (0,), opening)
    return soft_behind(vector, tokens, task, config, projection, start=opening.vectors)


def decomposed_space(backend: Backend, task: Task, config: Config) -> DecomposedSpace:
    """Vectors for the input, those of rows included."""
    vector = vector_backend(backend, Capability.DECOMPOSED)
    tokens = make_start(vector, task, config)
    return DecomposedSpace(
        tokens,
        float(vector.hidden_stds(tokens, task.train.queries)[0]),
        vector.shape.hidden_size,
        positions=config.row_positions,
        rank=config.prompt_rank,
        dimension=config.dimension,
        alpha=config.alpha,
        row_scale=config.row_scale,
        projection=projection_of(vector, tokens, task, config, (0,)),
        seed=part_seed(config.seed, "projection"),
    )


def low_rank_space(backend: Backend, task: Task, config: Config, opening: Opening = NOTHING) -> SoftSpace | DeepSpace:
    """Vectors that are products of two factors."""

    def low_rank(tokens: Sequence[int], projection: str | ProjectionOfLayer) -> LowRank:
        return LowRank(len(tokens), config.prompt_rank, projection)

    return _mapped(low_rank, backend, task, config, opening)


def multi_space(backend: Backend, task: Task, config: Config, opening: Opening = NOTHING) -> SoftSpace | DeepSpace:
    """Vectors that are fused from several subspaces."""

    def several(tokens: Sequence[int], projection: str | ProjectionOfLayer) -> MultiSpace:
        return MultiSpace(config.subspaces, projection)

    return _mapped(several, backend, task, config, opening)


def _mapped(
    mapped: Callable[[Sequence[int], str | ProjectionOfLayer], ProjectionOfLayer],
    backend: Backend,
    task: Task,
    config: Config,
    opening: Opening,
) -> SoftSpace | DeepSpace:
    """Vectors by another map than a projection, which is made of the start's tokens and a projection.

    Those of layer 0 alone are a soft prompt.
    """
    vector = vector_backend(backend, Capability.SOFT)
    layers = parse_layers(config.layers, vector.shape.n_layers)
    if layers != (0,):
        require(vector, Capability.DEEP)
    tokens = _tokens(vector, task, config, opening)
    way = mapped(tokens, projection_of(vector, tokens, task, config, layers, opening))
    if layers == (0,):
        return soft_behind(vector, tokens, task, config, way, start=opening.vectors)
    return deep_behind(vector, tokens, task, config, layers=layers, projection=way, start=opening.vectors)


def prefix_space(backend: Backend, task: Task, config: Config, opening: Opening = NOTHING) -> PrefixSpace:
    """Keys and values for the layers that the settings name."""
    vector = vector_backend(backend, Capability.PREFIX)
    if not isinstance(vector, PrefixBackend):
        raise SettingError(f"backend {backend.name!r} says it takes prefix prompts but is no PrefixBackend")
    chosen = opening.prompt
    start = chosen if isinstance(chosen, PrefixPrompt) else vector.prefix_of(make_start(vector, task, config))
    layers = parse_layers(config.layers, vector.shape.n_layers)
    return PrefixSpace(
        start,
        layers,
        dimension=config.dimension,
        alpha=config.alpha,
        projection=_projection_of_keys(vector, start, task, config, layers, opening),
        seed=part_seed(config.seed, "projection"),
    )


def deep_behind(
    backend: VectorBackend,
    tokens: Sequence[int],
    task: Task,
    config: Config,
    *,
    layers: Sequence[int],
    projection: str | ProjectionOfLayer,
    start: Mapping[int, FloatArray] | None = None,
) -> DeepSpace:
    """Vectors for some layers, at tokens and from vectors of the caller's choice."""
    stds = backend.hidden_stds(tokens, task.train.queries)
    return DeepSpace(
        tokens,
        {layer: float(stds[layer]) for layer in layers},
        backend.shape.hidden_size,
        dimension=config.dimension,
        alpha=config.alpha,
        projection=projection,
        seed=part_seed(config.seed, "projection"),
        start=start,
    )


def soft_behind(
    backend: VectorBackend,
    tokens: Sequence[int],
    task: Task,
    config: Config,
    projection: str | ProjectionOfLayer | None = None,
    *,
    start: Mapping[int, FloatArray] | None = None,
) -> SoftSpace:
    """Vectors for the input, at tokens and from vectors of the caller's choice; by the settings' projection, too."""
    return SoftSpace(
        tokens,
        float(backend.hidden_stds(tokens, task.train.queries)[0]),
        backend.shape.hidden_size,
        dimension=config.dimension,
        alpha=config.alpha,
        projection=projection or projection_of(backend, tokens, task, config, (0,)),
        seed=part_seed(config.seed, "projection"),
        start=start,
    )


def _tokens(backend: VectorBackend, task: Task, config: Config, opening: Opening) -> Sequence[int]:
    return opening.prompt.token_ids if opening.prompt else make_start(backend, task, config)


def projection_of(  # noqa: PLR0917 - what a projection can be made of
    backend: VectorBackend,
    tokens: Sequence[int],
    task: Task,
    config: Config,
    layers: Sequence[int],
    opening: Opening = NOTHING,
) -> str | ProjectionOfLayer:
    """The projection that the settings name, for these layers of prompts that start from these tokens.

    Raises:
        SettingError: it is made of hidden states, which the backend does not show, or of which a layer has too few.
    """
    if config.projection == BANK:
        return BankProjection(displacements(opening, len(tokens)))
    if config.projection not in OF_STATES:
        return config.projection
    if not isinstance(backend, StatesBackend):
        raise SettingError(
            f"projection {config.projection!r} is made of hidden states, and backend {backend.name!r} shows none"
        )
    return OF_STATES[config.projection](backend.hidden_states(tokens, task.train.queries, layers))


def _projection_of_keys(  # noqa: PLR0917 - as of `projection_of`
    backend: PrefixBackend,
    start: PrefixPrompt,
    task: Task,
    config: Config,
    layers: Sequence[int],
    opening: Opening,
) -> str | ProjectionOfLayer:
    """The same for a prefix prompt, made of keys and values."""
    if config.projection == BANK:
        return BankProjection(displaced_keys_values(backend, start, opening, layers))
    if config.projection not in OF_STATES:
        return config.projection
    texts = [query.before for query in task.train.queries[:_TEXTS_SEEN]]
    return OF_STATES[config.projection](seen_keys_values(backend, start, texts, layers), parts=2)


def vector_backend(backend: Backend, needed: Capability) -> VectorBackend:
    """The same backend, as one whose hidden states can be changed.

    Raises:
        UnsupportedPromptError, SettingError: it is none.
    """
    require(backend, needed)
    if not isinstance(backend, VectorBackend):
        raise SettingError(f"backend {backend.name!r} says it takes {needed.value} but is no VectorBackend")
    return backend


OPENED: dict[str, Callable[[Backend, Task, Config, Opening], PromptSpace]] = {
    "deep": deep_space,
    "low-rank": low_rank_space,
    "multi-space": multi_space,
    "prefix": prefix_space,
    "soft": soft_space,
}
"""Those that take an opening."""

SPACES.add("decomposed", decomposed_space)
SPACES.add("deep", deep_space)
SPACES.add("low-rank", low_rank_space)
SPACES.add("multi-space", multi_space)
SPACES.add("prefix", prefix_space)
SPACES.add("soft", soft_space)
