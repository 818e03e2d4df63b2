"""What an evaluation costs with and without the shortcuts of the local backend, on SmolLM2-135M-Instruct.

Candidates of a blockwise search: five layers spread over the searched ones, four candidates in each, 32 rows of 15 to
65 tokens behind 14 prompt tokens. The other side is the same backend with `shortcuts=False`: the whole model for every
candidate, rows sorted and trimmed as well, the head at the scored position only. Both in one process, in turn.
"""

from statistics import median
from time import perf_counter

import numpy as np
import torch

from blackbox.backends import Prompt, Query
from blackbox.backends.local import LocalBackend, load_backend
from blackbox.spaces import DeepSpace
from blackbox.spaces.layers import parse_layers

ROWS, PROMPT_TOKENS, CANDIDATES, PARTS = 32, 14, 4, 5


def run(*, quick: bool) -> dict[str, object]:
    """Seconds an evaluation and their ratio, by precision and searched layers; `quick` is one round of each."""
    figures: dict[str, object] = {}
    print(f"{torch.get_num_threads()} threads")
    for dtype in ("float32", "bfloat16"):
        sides = [load_backend("smollm2-135m", dtype=dtype, shortcuts=shortcuts) for shortcuts in (False, True)]
        queries = rows(sides[0])
        for layers in ("upper-half", "all"):
            prompts = candidates(sides[0], layers)
            figures[f"{dtype} {layers}"] = compare(sides, prompts, queries, rounds=1 if quick else 5)
            print(f"{dtype}, {layers}: {figures[f'{dtype} {layers}']}", flush=True)
    return figures


def compare(sides: list[LocalBackend], prompts: list[Prompt], queries: list[Query], *, rounds: int) -> dict[str, float]:
    """Median seconds an evaluation of both sides in turn, after one round that is not counted."""
    seconds: list[list[float]] = [[], []]
    scores = [np.empty(0), np.empty(0)]
    for _ in range(rounds + 1):
        for side, backend in enumerate(sides):
            began = perf_counter()
            scores[side] = backend.score(prompts, queries).log_probabilities
            seconds[side].append((perf_counter() - began) / len(prompts))
    whole, quick = (median(times[1:]) for times in seconds)
    return {
        "whole_s": round(whole, 4),
        "shortcuts_s": round(quick, 4),
        "ratio": round(whole / quick, 2),
        "largest_difference_nats": float(np.abs(scores[0] - scores[1]).max()),
    }


def rows(backend: LocalBackend) -> list[Query]:
    """Rows of 15 to 65 random tokens, evenly spread."""
    rng = np.random.default_rng(1)
    lengths = np.linspace(15, 65, ROWS).astype(int)
    texts = [backend.decode(rng.integers(300, 40_000, size=length).tolist()) for length in lengths]
    return [Query(text + " It was ", ("bad", "great")) for text in texts]


def candidates(backend: LocalBackend, layers: str) -> list[Prompt]:
    """What a blockwise search would ask: in each layer a few candidates, one of which stays."""
    numbers = parse_layers(layers, backend.shape.n_layers)
    space = DeepSpace(range(300, 300 + PROMPT_TOKENS), dict.fromkeys(numbers, 1.0), 576, dimension=100, seed=1)
    rng, incumbent = np.random.default_rng(1), np.zeros((len(numbers), 100))
    asked = []
    for block in np.linspace(0, len(numbers) - 1, PARTS).astype(int):
        tries = np.repeat(incumbent[None], CANDIDATES, axis=0)
        tries[:, block] = rng.standard_normal((CANDIDATES, 100))
        asked += space.decode(tries.reshape(CANDIDATES, -1))
        incumbent = tries[1]
    return asked
