"""Prompt spaces by name. The built-in ones are registered here as a stranger's would be."""

from collections.abc import Sequence

from blackbox.backends import Backend, Capability, PrefixBackend, StatesBackend, VectorBackend, require
from blackbox.config import Config
from blackbox.errors import SettingError
from blackbox.proposing.equipment import make_checks
from blackbox.proposing.inducing import Inducer
from blackbox.proposing.meta_prompts import INDUCTION
from blackbox.proposing.writers import make_vector_writer
from blackbox.registry import SPACES
from blackbox.seeds import part_seed
from blackbox.spaces import (
    ChoicesSpace,
    DeepSpace,
    PrefixSpace,
    ProjectedInstructionSpace,
    PromptSpace,
    SoftSpace,
    TextsSpace,
)
from blackbox.spaces.general import GENERAL_FOR_LABELS, GENERAL_FOR_TARGETS, label_words_of, sample_of_rows
from blackbox.spaces.layers import parse_layers
from blackbox.spaces.prefix import seen_keys_values
from blackbox.spaces.seen_projections import OF_STATES, LayerProjection
from blackbox.spaces.start import start_tokens
from blackbox.task import Task
from blackbox.text_prompts import instructions, text_prompts

_TEXTS_SEEN = 16
"""Training rows whose keys and values are looked at: each is a call."""


def make_space(backend: Backend, task: Task, config: Config) -> PromptSpace:
    """The prompt space that the settings name."""
    return SPACES.get(config.space)(backend, task, config)


def _deep(backend: Backend, task: Task, config: Config) -> DeepSpace:
    vector = _vector_backend(backend, Capability.DEEP)
    tokens = _start(vector, config)
    layers = parse_layers(config.layers, vector.shape.n_layers)
    stds = vector.hidden_stds(tokens, task.train.queries)
    return DeepSpace(
        tokens,
        {layer: float(stds[layer]) for layer in layers},
        vector.shape.hidden_size,
        dimension=config.dimension,
        alpha=config.alpha,
        projection=_projection(vector, tokens, task, config, layers),
        seed=part_seed(config.seed, "projection"),
    )


def _soft(backend: Backend, task: Task, config: Config) -> SoftSpace:
    vector = _vector_backend(backend, Capability.SOFT)
    return _soft_behind(vector, _start(vector, config), task, config)


def _soft_behind(backend: VectorBackend, tokens: Sequence[int], task: Task, config: Config) -> SoftSpace:
    return SoftSpace(
        tokens,
        float(backend.hidden_stds(tokens, task.train.queries)[0]),
        backend.shape.hidden_size,
        dimension=config.dimension,
        alpha=config.alpha,
        projection=_projection(backend, tokens, task, config, [0]),
        seed=part_seed(config.seed, "projection"),
    )


def _prefix(backend: Backend, task: Task, config: Config) -> PrefixSpace:
    vector = _vector_backend(backend, Capability.PREFIX)
    if not isinstance(vector, PrefixBackend):
        raise SettingError(f"backend {backend.name!r} says it takes prefix prompts but is no PrefixBackend")
    start, layers = vector.prefix_of(_start(vector, config)), parse_layers(config.layers, vector.shape.n_layers)
    projection: str | LayerProjection = config.projection
    if config.projection in OF_STATES:
        texts = [query.before for query in task.train.queries[:_TEXTS_SEEN]]
        projection = OF_STATES[config.projection](seen_keys_values(vector, start, texts, layers), parts=2)
    return PrefixSpace(
        start,
        layers,
        dimension=config.dimension,
        alpha=config.alpha,
        projection=projection,
        seed=part_seed(config.seed, "projection"),
    )


def _texts(backend: Backend, task: Task, config: Config) -> TextsSpace:
    require(backend, Capability.TEXT)
    return TextsSpace(text_prompts(config.prompts, role=config.role))


def _choices(backend: Backend, task: Task, config: Config) -> ChoicesSpace:
    require(backend, Capability.TEXT)
    general = GENERAL_FOR_LABELS if task.labels else GENERAL_FOR_TARGETS
    return ChoicesSpace(
        task,
        instructions(config.instructions, start=config.prompt, general=general),
        demonstrations=config.demonstrations,
        pool=sample_of_rows(task.train.labels, config.shown_from, seed=part_seed(config.seed, "shown")),
        words=[label_words_of(words, task.labels) for words in config.words],
        role=config.role,
    )


def _projected(backend: Backend, task: Task, config: Config) -> ProjectedInstructionSpace:
    require(backend, Capability.TEXT)
    writer = make_vector_writer(config, backend)
    seed = part_seed(config.seed, "start")
    tokens = start_tokens(writer, text=INDUCTION, length=config.prompt_tokens, seed=seed)
    rows = sample_of_rows(task.train.labels, config.proposal_rows, seed=part_seed(config.seed, "shown"))
    checks = make_checks(task, [config.prompt] if config.prompt else [], config)
    inducer = Inducer(writer, task, rows, checks=checks, tokens=config.proposal_tokens)
    vectors = _soft_behind(writer, tokens, task, config)
    return ProjectedInstructionSpace(vectors, inducer, source=inducer.source, start=config.prompt, role=config.role)


def _projection(
    backend: VectorBackend, tokens: Sequence[int], task: Task, config: Config, layers: Sequence[int]
) -> str | LayerProjection:
    """The projections of some layers, by name or made of the states that the training rows have there."""
    if config.projection not in OF_STATES:
        return config.projection
    if not isinstance(backend, StatesBackend):
        raise SettingError(
            f"projection {config.projection!r} is made of hidden states, and backend {backend.name!r} shows none"
        )
    return OF_STATES[config.projection](backend.hidden_states(tokens, task.train.queries, layers))


def _start(backend: VectorBackend, config: Config) -> tuple[int, ...]:
    seed = part_seed(config.seed, "start")
    return start_tokens(backend, text=config.prompt, length=config.prompt_tokens, seed=seed)


def _vector_backend(backend: Backend, needed: Capability) -> VectorBackend:
    require(backend, needed)
    if not isinstance(backend, VectorBackend):
        raise SettingError(f"backend {backend.name!r} says it takes {needed.value} but is no VectorBackend")
    return backend


SPACES.add("choices", _choices)
SPACES.add("deep", _deep)
SPACES.add("prefix", _prefix)
SPACES.add("projected-instruction", _projected)
SPACES.add("soft", _soft)
SPACES.add("texts", _texts)
