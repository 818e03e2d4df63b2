"""What every call of a backend is checked for before anything is computed or paid."""

from collections.abc import Sequence

from blackbox.backends.base import Backend, Capability, Query, VectorBackend
from blackbox.backends.errors import QueryError, UnsupportedPromptError
from blackbox.backends.prompts import (
    DecomposedPrompt,
    DeepPrompt,
    PrefixPrompt,
    Prompt,
    SoftPrompt,
    TextPrompt,
    vectors_of,
)

OFFERED_BY: dict[Capability, tuple[str, ...]] = {
    Capability.TEXT: ("fake", "local", "remote", "openai", "anthropic", "vllm"),
    Capability.SOFT: ("fake", "local", "remote", "vllm"),
    Capability.DEEP: ("fake", "local", "remote"),
    Capability.PREFIX: ("fake", "local", "remote"),
    Capability.DECOMPOSED: ("fake", "local", "remote"),
    Capability.LABEL_SCORES: ("fake", "local", "remote", "openai", "anthropic", "vllm"),
    Capability.TARGETS: ("fake", "local or remote with a model that is not a masked one", "vllm"),
    Capability.INFILL: ("fake", "local or remote with a masked model or an encoder-decoder"),
    Capability.GENERATE: ("fake", "local or remote with a model that is not a masked one", "openai", "anthropic"),
    Capability.STATES: ("fake", "local"),
    Capability.VOCABULARY: ("local",),
}
"""The backends of this package that have a capability; named in the error of one that has not."""

_TAKES: dict[type, Capability] = {
    TextPrompt: Capability.TEXT,
    SoftPrompt: Capability.SOFT,
    DeepPrompt: Capability.DEEP,
    PrefixPrompt: Capability.PREFIX,
    DecomposedPrompt: Capability.DECOMPOSED,
}


def require(backend: Backend, *needed: Capability) -> None:
    """Refuse a backend that lacks a capability, naming those that have it.

    Raises:
        UnsupportedPromptError: a capability is missing.
    """
    for capability in needed:
        if capability not in backend.capabilities:
            raise UnsupportedPromptError(_missing(backend, capability))


def check_call(backend: Backend, prompts: Sequence[Prompt], queries: Sequence[Query]) -> None:
    """The checks that every `score` begins with.

    Raises:
        UnsupportedPromptError, QueryError: as `Backend.score` says.
    """
    check_prompts(backend, prompts)
    counts = {len(query.options) for query in queries}
    if len(counts) > 1 or 0 in counts:
        raise QueryError(f"all queries of one call must have the same number of options, got {sorted(counts)}")
    if counts == {1} and Capability.TARGETS not in backend.capabilities:
        raise QueryError(f"a query with one option asks for its likelihood: {_missing(backend, Capability.TARGETS)}")


def check_prompts(backend: Backend, prompts: Sequence[Prompt]) -> None:
    """The checks that every `generate` begins with, and every `score` (by `check_call`).

    Raises:
        UnsupportedPromptError: a prompt of a kind not in the backend's capabilities.
    """
    for prompt in prompts:
        capability = _TAKES.get(type(prompt))
        if capability is None or capability not in backend.capabilities:
            takes = ", ".join(sorted(c.value for c in backend.capabilities if c in _TAKES.values()))
            offered = " or ".join(repr(name) for name in OFFERED_BY[capability]) if capability else "another backend"
            raise UnsupportedPromptError(
                f"backend {backend.name!r} takes {takes}, got {type(prompt).__name__}; such prompts need {offered}"
            )


def _missing(backend: Backend, capability: Capability) -> str:
    offered = " or ".join(repr(name) for name in OFFERED_BY[capability])
    return f"backend {backend.name!r} has no {capability.value}; those need {offered}"


def check_fit(backend: VectorBackend, prompt: Prompt) -> None:
    """Refuse a prompt whose vectors are not of the model's shape.

    Raises:
        UnsupportedPromptError: a layer that the model has not, or another hidden size; for a prefix prompt a layer
            too few or too many, or another width.
    """
    if isinstance(prompt, PrefixPrompt):
        _check_prefix(backend, prompt)
        return
    for layer, vectors in vectors_of(prompt).items():
        if not 0 <= layer < backend.shape.n_layers or vectors.shape[1] != backend.shape.hidden_size:
            raise UnsupportedPromptError(
                f"model {backend.name!r} has layers 0 to {backend.shape.n_layers - 1} of size "
                f"{backend.shape.hidden_size}, got a prompt for layer {layer} of size {vectors.shape[1]}"
            )


def check_layers(backend: VectorBackend, layers: Sequence[int]) -> None:
    """Refuse layers that the model has not.

    Raises:
        UnsupportedPromptError: there is one.
    """
    if wrong := [layer for layer in layers if not 0 <= layer < backend.shape.n_layers]:
        raise UnsupportedPromptError(
            f"model {backend.name!r} has layers 0 to {backend.shape.n_layers - 1}, got layer {wrong[0]}"
        )


def _check_prefix(backend: VectorBackend, prompt: PrefixPrompt) -> None:
    expected = (
        f"model {backend.name!r} needs keys and values of width {backend.shape.key_value_width} for each of its layers "
        f"0 to {backend.shape.n_layers - 1}"
    )
    layers = range(backend.shape.n_layers)
    if missing := sorted(set(layers) - set(prompt.keys_values)):
        raise UnsupportedPromptError(f"{expected}, got a prefix prompt without layer {missing[0]}")
    for layer, keys_values in prompt.keys_values.items():
        if layer not in layers or keys_values.shape[2] != backend.shape.key_value_width:
            raise UnsupportedPromptError(
                f"{expected}, got a prefix prompt for layer {layer} of width {keys_values.shape[2]}"
            )
