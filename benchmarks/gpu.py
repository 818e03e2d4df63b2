"""8,000 evaluations of BBTv2 on a GPU: RoBERTa-large's size, random weights, 32 rows, 50 prompt tokens, d = 500.

The published time for BBT, which searches the input layer only, is 8.9 minutes on an RTX 3090.
"""

from functools import partial
from time import perf_counter

import numpy as np
import torch

from benchmarks.data import MissingDataError
from benchmarks.random_models import load, roberta, rows
from blackbox.losses import CrossEntropy
from blackbox.optimizers import CMAES, Blockwise
from blackbox.spaces import DeepSpace

EVALUATIONS, QUICK, DIMENSION, PROMPT_TOKENS = 8000, 480, 500, 50


def run(*, quick: bool) -> dict[str, object]:
    """Seconds by precision, and where they go; `quick` is one sweep.

    Raises:
        MissingDataError: no GPU is here.
    """
    if not torch.cuda.is_available():
        raise MissingDataError("needs a GPU, and none is here")
    figures: dict[str, object] = {"device": torch.cuda.get_device_name()}
    for dtype in (torch.float32, torch.bfloat16):
        figures[str(dtype).removeprefix("torch.")] = search(dtype, QUICK if quick else EVALUATIONS)
    return figures


def search(dtype: torch.dtype, evaluations: int) -> dict[str, float]:
    """Seconds of a whole search and of its parts."""
    backend, queries = load(partial(roberta, "large"), device="cuda", dtype=dtype), rows()
    n_layers, labels = backend.shape.n_layers, np.arange(len(queries)) % 2
    spread = dict.fromkeys(range(n_layers), 0.02)
    tokens = range(300, 300 + PROMPT_TOKENS)
    space = DeepSpace(tokens, spread, backend.shape.hidden_size, dimension=DIMENSION, seed=1)
    optimizer = Blockwise(space.blocks, make=lambda d, seed: CMAES(d, population_size=20, sigma=1.0, seed=seed), seed=1)
    spent, seconds = 0, {"optimizer_s": 0.0, "projection_s": 0.0, "model_s": 0.0}
    torch.cuda.reset_peak_memory_stats()
    began = perf_counter()
    while spent < evaluations:
        start = perf_counter()
        candidates = optimizer.ask()
        asked = perf_counter()
        prompts = space.decode(candidates)
        decoded = perf_counter()
        losses = CrossEntropy()(backend.score(prompts, queries).log_probabilities, labels)
        scored = perf_counter()
        optimizer.tell(candidates, losses)
        seconds["optimizer_s"] += asked - start + perf_counter() - scored
        seconds["projection_s"] += decoded - asked
        seconds["model_s"] += scored - decoded
        spent += len(candidates)
    figures = {"evaluations": spent, "seconds": perf_counter() - began, **seconds}
    figures["peak_memory_mb"] = torch.cuda.max_memory_allocated() / 1e6
    print(f"{dtype}: " + ", ".join(f"{key} {value:.4g}" for key, value in figures.items()), flush=True)
    return figures
