"""Prompts as a search asks for them: many that share the arrays of most layers."""

from collections.abc import Callable, Sequence

import numpy as np

from blackbox.backends import DecomposedPrompt, DeepPrompt, PrefixPrompt, Prompt, TextPrompt
from blackbox.backends.local import LocalBackend

TOKENS = (40, 45, 52)
SIZE = 32
N_LAYERS = 4
Arrays = dict[int, np.ndarray]


def vectors(seed: int, n_tokens: int = len(TOKENS)) -> np.ndarray:
    """What is added to a layer, shape (n_tokens, hidden_size), read-only so that prompts share it."""
    return frozen(np.random.default_rng(seed).normal(size=(n_tokens, SIZE)))


def frozen(array: np.ndarray) -> np.ndarray:
    array = array.astype(np.float32)
    array.setflags(write=False)
    return array


def deep(*layers: int, seed: int = 1) -> DeepPrompt:
    """Vectors for some layers."""
    return DeepPrompt(TOKENS, {layer: vectors(10 * seed + layer) for layer in layers})


def prefix(backend: LocalBackend, *layers: int, seed: int = 1) -> PrefixPrompt:
    """The prefix of the tokens, moved in some layers."""
    start = backend.prefix_of(TOKENS)
    moved = {layer: _moved(start.keys_values[layer], 10 * seed + layer) for layer in layers}
    return PrefixPrompt(TOKENS, {**start.keys_values, **moved})


def decomposed(*, positions: int = 4, seed: int = 1) -> DecomposedPrompt:
    """Vectors for the tokens and for the first positions of a row."""
    return DecomposedPrompt(TOKENS, vectors(seed, len(TOKENS) + positions))


def of_every_kind(backend: LocalBackend) -> list[Prompt]:
    """Prompts that change one layer and several; prefixes; texts, an empty one too."""
    added = [deep(2), deep(0, 2, 3), deep(1, 2)]
    prefixes = [prefix(backend), prefix(backend, 0, 1, 3)] if backend.shape.key_value_width else []
    return [TextPrompt("it was"), *added, decomposed(), decomposed(positions=1), *prefixes, TextPrompt("")]


Sweep = list[list[Prompt]]
"""Slices of candidates, one call each."""


def sweep(first: Arrays, prompt_of: Callable[[Arrays], Prompt]) -> Sweep:
    """A blockwise search: three candidates in each layer in turn, then from the first again, gains kept on the way."""
    incumbent, slices = dict(first), []
    for turn, layer in enumerate((0, 1, 2, 3, 1)):
        tries = [{**incumbent, layer: _moved(first[layer], 10 * turn + number)} for number in range(3)]
        slices.append([prompt_of(arrays) for arrays in tries])
        incumbent = tries[1] if turn % 2 else incumbent
    return slices


def deep_sweep() -> Sweep:
    """A blockwise search over deep prompts."""
    return sweep({layer: vectors(layer) for layer in range(N_LAYERS)}, lambda arrays: DeepPrompt(TOKENS, arrays))


def prefix_sweep(backend: LocalBackend) -> Sweep:
    """A blockwise search over prefix prompts."""
    start = dict(backend.prefix_of(TOKENS).keys_values)
    return sweep(start, lambda arrays: PrefixPrompt(TOKENS, arrays))


def scores_of(backend: LocalBackend, slices: Sweep, queries: Sequence) -> np.ndarray:
    """Log-probabilities of all candidates, scored slice by slice."""
    return np.concatenate([backend.score(prompts, queries).log_probabilities for prompts in slices])


def _moved(array: np.ndarray, seed: int) -> np.ndarray:
    return frozen(array + np.random.default_rng(seed).normal(size=array.shape))
