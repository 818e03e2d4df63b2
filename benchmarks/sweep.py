"""A sweep of BBTv2 over all layers against one candidate at a time through the whole model.

The other side is what the published code does: the model's own forward pass for each candidate, all rows in one padded
batch, the whole vocabulary at every position. Models have random weights of the sizes of RoBERTa-base (50 prompt
tokens) and SmolLM2-135M (14); 32 rows of 15 to 65 tokens; float32. Both sides in one process, in turn. In each layer
a population of 20 is scored in five calls of four.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.random_models import LABELS, load, roberta, rows, smollm2
from blackbox.backends import DeepPrompt, PrefixPrompt, Prompt, Query
from blackbox.backends.local import LocalBackend
from blackbox.backends.local.hooks import before_layers
from blackbox.spaces import DeepSpace, PrefixSpace

SLICES, SLICE, DIMENSION = 5, 4, 100
ROUNDS = 6  # of added vectors and prefixes in turn


@dataclass(frozen=True)
class Case:
    """A model and the length of its prompt."""

    make: Callable[[], Any]
    prompt_tokens: int
    mask: str


CASES = {
    "roberta-base": Case(partial(roberta, "base"), 50, " <4>"),
    "smollm2-135m": Case(smollm2, 14, ""),
}
QUICK = "smollm2-135m"


def run(*, quick: bool) -> dict[str, object]:
    """The figures of each model; `quick`: of the smaller one, two of its upper layers only."""
    print(f"{torch.get_num_threads()} threads")
    cases = {QUICK: CASES[QUICK]} if quick else CASES
    return {name: sweep(name, case, quick=quick) for name, case in cases.items()}


def sweep(name: str, case: Case, *, quick: bool) -> dict[str, float]:
    """One sweep, layer by layer: a generation in slices, and one evaluation in the published way for each layer."""
    backend, queries = load(case.make), rows()
    n_layers, tokens = backend.shape.n_layers, range(300, 300 + case.prompt_tokens)
    space = DeepSpace(
        tokens, dict.fromkeys(range(n_layers), 0.02), backend.shape.hidden_size, dimension=DIMENSION, seed=1
    )
    layers = range(n_layers // 2, n_layers, n_layers // 3) if quick else range(n_layers)
    rng, incumbent = np.random.default_rng(1), np.zeros((n_layers, DIMENSION))
    fast, published, differences, rates = [], [], [], []
    backend.score(space.decode(incumbent.reshape(1, -1)), queries)  # the first pass of a process is slower
    for layer in layers:
        candidates = np.repeat(incumbent[None], SLICES * SLICE, axis=0)
        candidates[:, layer] = rng.standard_normal((SLICES * SLICE, DIMENSION))
        prompts = space.decode(candidates.reshape(SLICES * SLICE, -1))
        seconds, scores = slices(backend, prompts, queries)
        fast.append(seconds)
        began = perf_counter()
        expected = published_scores(backend, prompts[0], queries, case.mask)
        published.append(perf_counter() - began)
        differences.append(float(np.abs(scores[0] - expected).max()))
        rates.append(product_rate())
        incumbent = candidates[1]
    evaluation, kept = sum(fast) / len(fast), cache(backend, tokens, queries)
    figures = {
        "candidates_a_call": SLICE,
        "layers_swept": len(layers),
        "published_evaluation_s": median(published),
        "evaluation_s": evaluation,
        "ratio": median(published) / evaluation,
        "first_layer_s": fast[0],
        "last_layer_s": fast[-1],
        "largest_difference_nats": max(differences),
        "product_rate_gflops": median(rates),
        "share_of_product_rate": share(backend, space, queries, median(rates)),
        **prefix_against_add(backend, case, queries, rounds=2 if quick else ROUNDS),
        **kept,
    }
    for key, value in figures.items():
        print(f"{name}: {key} {value:.4g}", flush=True)
    return figures


def slices(backend: LocalBackend, prompts: list[Prompt], queries: list[Query]) -> tuple[float, np.ndarray]:
    """Median seconds an evaluation over the slices of a generation, and all scores."""
    seconds, scores = [], []
    for first in range(0, len(prompts), SLICE):
        began = perf_counter()
        scores.append(backend.score(prompts[first : first + SLICE], queries).log_probabilities)
        seconds.append((perf_counter() - began) / SLICE)
    return median(seconds), np.concatenate(scores)


def published_scores(backend: LocalBackend, prompt: Prompt, queries: list[Query], mask: str) -> np.ndarray:
    """Log-probabilities of the labels, shape (n_rows, n_labels): the whole model, one padded batch, all positions."""
    if not isinstance(prompt, DeepPrompt):
        raise TypeError("the published code takes deep prompts")
    model, n = backend.model, len(prompt.token_ids)
    lines = [[*prompt.token_ids, *backend.encode(query.before.rstrip() + mask)] for query in queries]
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(line) for line in lines], True, padding_value=1)
    real = torch.arange(ids.shape[1])[None] < torch.tensor([len(line) for line in lines])[:, None]
    vectors = {layer: torch.tensor(array) for layer, array in prompt.vectors.items()}

    def add(layer: int, hidden: torch.Tensor) -> torch.Tensor:
        hidden = hidden.clone()
        hidden[:, :n] += vectors[layer]
        return hidden

    with torch.inference_mode(), before_layers(backend.layers, add):
        logits = model(input_ids=ids, attention_mask=real.long()).logits
    labels = [backend.encode(label)[0] for label in LABELS]
    read = torch.stack([logits[row, len(line) - 1, labels] for row, line in enumerate(lines)])
    return read.double().log_softmax(-1).numpy()


def product_rate() -> float:
    """What this machine makes of a matrix product of a batch with a feed-forward layer, GFLOP/s; the best of a few."""
    x, w = torch.randn(1024, 768), torch.randn(3072, 768)
    times = []
    for _ in range(6):
        began = perf_counter()
        functional.linear(x, w)
        times.append(perf_counter() - began)
    return 2e-9 * x.numel() * len(w) / min(times)


def share(backend: LocalBackend, space: DeepSpace, queries: list[Query], rate: float) -> float:
    """Operations of a population in the middle layer by the time they take, as a share of the product rate."""
    middle = backend.shape.n_layers // 2
    candidates = np.zeros((5, 4, backend.shape.n_layers, DIMENSION))
    candidates[:, :, middle] = np.random.default_rng(2).standard_normal((5, 4, DIMENSION))
    populations = [space.decode(few.reshape(4, -1)) for few in candidates]
    backend.score(populations[0], queries)
    seconds = []
    for population in populations:
        began = perf_counter()
        backend.score(population, queries)
        seconds.append(perf_counter() - began)
    return operations(backend, populations[-1], queries) / median(seconds) / (1e9 * rate)


def operations(backend: LocalBackend, prompts: list[Prompt], queries: list[Query]) -> float:
    """Floating-point operations of a call."""
    with FlopCounterMode(display=False) as counter:
        backend.score(prompts, queries)
    return float(counter.get_total_flops())


def prefix_against_add(backend: LocalBackend, case: Case, queries: list[Query], *, rounds: int) -> dict[str, float]:
    """Seconds an evaluation of both insertions, every layer changed by each candidate, in turn."""
    n_layers, tokens = backend.shape.n_layers, range(300, 300 + case.prompt_tokens)
    start: PrefixPrompt = backend.prefix_of(tokens)
    spread = dict.fromkeys(range(n_layers), 0.02)
    add = DeepSpace(tokens, spread, backend.shape.hidden_size, dimension=DIMENSION, seed=1)
    prefix = PrefixSpace(start, range(n_layers), dimension=DIMENSION, seed=1)
    candidates = np.random.default_rng(3).standard_normal((rounds, 2, n_layers * DIMENSION))
    seconds: dict[str, list[float]] = {"add_s": [], "prefix_s": []}
    for few in candidates:
        for name, space in (("add_s", add), ("prefix_s", prefix)):
            prompts = space.decode(few)
            began = perf_counter()
            backend.score(prompts, queries)
            seconds[name].append((perf_counter() - began) / len(prompts))
    figures = {name: median(times[1:]) for name, times in seconds.items()}
    return {**figures, "add_to_prefix": figures["add_s"] / figures["prefix_s"]}


def cache(backend: LocalBackend, tokens: range, queries: list[Query]) -> dict[str, float]:
    """What the cache takes after the sweep, and what was predicted."""
    predicted = backend.cache_bytes_needed(tokens, queries)
    return {"cache_mb": backend.cache_bytes / 1e6, "cache_predicted_mb": predicted / 1e6}
