"""How far prompts of other searches lie from their starts: what projection "bank" is made of."""

from collections.abc import Sequence

import numpy as np

from blackbox.backends import PrefixBackend, PrefixPrompt
from blackbox.backends.prompts import FloatArray, vectors_of
from blackbox.errors import SettingError
from blackbox.opening import Opening
from blackbox.spaces.prefix import relative_keys_values


def displacements(opening: Opening, n_tokens: int) -> dict[int, FloatArray]:
    """What the opening's prompts add to the states of their tokens: layer -> shape (n_prompts, numbers of the layer).

    Args:
        opening: with soft or deep prompts.
        n_tokens: of the search's own prompts.

    Raises:
        SettingError: a prompt has another number of tokens.
    """
    found: dict[int, list[FloatArray]] = {}
    for saved in opening.directions:
        _check_length(saved.text, len(saved.prompt.token_ids), n_tokens)  # type: ignore[union-attr]
        for layer, vectors in vectors_of(saved.prompt).items():
            if vectors.any():
                found.setdefault(layer, []).append(vectors.ravel())
    return {layer: np.stack(rows) for layer, rows in found.items()}


def displaced_keys_values(
    backend: PrefixBackend, start: PrefixPrompt, opening: Opening, layers: Sequence[int]
) -> dict[int, FloatArray]:
    """The same of prefix prompts, less what the model makes of their tokens, in spreads of the start's."""
    rows: dict[int, list[FloatArray]] = {layer: [] for layer in layers}
    for saved in opening.directions:
        found = saved.prompt
        if not isinstance(found, PrefixPrompt):
            raise SettingError(f"prompt {saved.text!r} is no PrefixPrompt")
        _check_length(saved.text, found.n_positions, start.n_positions)
        plain = backend.prefix_of(found.token_ids)
        for layer in layers:
            moved = found.keys_values[layer] - plain.keys_values[layer]
            rows[layer].append(relative_keys_values(start, layer, moved).ravel())
    return {layer: np.stack(found) for layer, found in rows.items()}


def _check_length(text: str, found: int, expected: int) -> None:
    if found != expected:
        raise SettingError(
            f"projection 'bank' needs prompts as long as this search's, {expected} positions; that on {text!r} has "
            f"{found}; prompt_tokens makes them equal"
        )
