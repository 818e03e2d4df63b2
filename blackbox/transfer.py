"""How alike two prompts are: tasks whose prompts are alike pass them on to each other.

SPoT (Vu et al. 2022, arXiv 2110.07904, section 3) predicts from the cosine similarity of prompts, averaged over their
tokens, which task's prompt will help another; so does PANDA (Zhong et al. 2022, arXiv 2208.10160). Here what counts is
where a search has gone from its start.
"""

from collections.abc import Mapping

import numpy as np

from blackbox.backends import Backend, PrefixBackend, PrefixPrompt, Prompt, TextPrompt
from blackbox.backends.prompts import FloatArray, vectors_of


def moves(prompt: Prompt, backend: Backend) -> Mapping[int, FloatArray]:
    """Layer -> what a prompt has there beyond its tokens, shape (n_tokens, ...); a text has nothing beyond them."""
    if isinstance(prompt, TextPrompt):
        return {}
    if not isinstance(prompt, PrefixPrompt):
        return vectors_of(prompt)
    plain = backend.prefix_of(prompt.token_ids).keys_values if isinstance(backend, PrefixBackend) else {}
    return {
        layer: (found - plain[layer]).swapaxes(0, 1) for layer, found in prompt.keys_values.items() if layer in plain
    }


def similarity(first: Mapping[int, FloatArray], second: Mapping[int, FloatArray]) -> float | None:
    """The cosine of the two moves' means over tokens, averaged over the layers that both have moved in; from -1 to 1.

    Returns:
        None where there is no such layer.
    """
    cosines = [
        _cosine(first[layer].mean(axis=0), second[layer].mean(axis=0))
        for layer in sorted(first.keys() & second.keys())
        if first[layer].any() and second[layer].any()
    ]
    return float(np.mean(cosines)) if cosines else None


def _cosine(a: FloatArray, b: FloatArray) -> float:
    sizes = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / sizes if sizes else 0.0
