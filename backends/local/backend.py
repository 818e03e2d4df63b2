"""Causal language models of transformers, run in this process.

Every prompt is scored on its own, in the same batches of rows, so its scores do not depend on what else is in a call.
Rows are sorted by length and cut into batches that fit in memory, the output head sees only the positions that answer,
and layers below the first that differs from the prompt before do not run again. Source of the insertion: BBTv2, arXiv
2205.11200.
"""

from collections.abc import Sequence
from functools import lru_cache
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from blackbox.backends.base import Capability, Failure, ModelShape, Query, Scores, Usage, check_call, check_fit
from blackbox.backends.errors import BackendSettingError, ModelMemoryError
from blackbox.backends.local.encoding import ALL_OPTIONS, Batch, QueryEncoder, cut_batches
from blackbox.backends.local.forward import Forward, PlacedPrompt
from blackbox.backends.local.hidden_stds import clipped_std
from blackbox.backends.local.layer_cache import Vectors
from blackbox.backends.local.memory import default_cache_bytes, fitting_batch_tokens
from blackbox.backends.prompts import Prompt, TextPrompt, vectors_of

_OVERFLOW = "the model's logits are no finite numbers: the prompt's vectors are too large for its precision"
_ROWS_MEASURED = 64  # the states of all layers are held at once
_KNOWN_QUERIES = 16  # calls whose rows need not be tokenised again: a search has three or four sets of rows


class LocalBackend:
    """A loaded causal language model; `load_backend` makes one from a name.

    Args:
        model: a causal language model of transformers, on its device and in its precision.
        tokenizer: its tokenizer.
        name, model_hash: what identifies the model in saved prompts and run folders.
        batch_tokens: the most tokens of one forward pass, padding included; None fits it to the device.
        cache_bytes: the most memory for hidden states that the next prompt may share; 0 keeps none, None is a
            sixteenth of the device's.
        single_token_labels: refuse label words that are more than one token.
        shortcuts: False runs the whole model for every prompt, as `forward` explains.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        name: str,
        model_hash: str,
        batch_tokens: int | None = None,
        cache_bytes: int | None = None,
        single_token_labels: bool = False,
        shortcuts: bool = True,
    ) -> None:
        if batch_tokens is not None and batch_tokens < 1:
            raise BackendSettingError(f"batch_tokens must be at least 1, got {batch_tokens}")
        limit = default_cache_bytes(model.device) if cache_bytes is None else cache_bytes
        self._forward = Forward(model.eval().requires_grad_(False), cache_bytes=limit, shortcuts=shortcuts)
        self._tokenizer = tokenizer
        self._encoder = QueryEncoder(
            tokenizer,
            single_token_labels=single_token_labels,
            max_tokens=getattr(model.config, "max_position_embeddings", None) or 1_000_000,
        )
        self._name, self._model_hash = name, model_hash
        self._batches = lru_cache(maxsize=_KNOWN_QUERIES)(self._cut)
        self.batch_tokens = batch_tokens or fitting_batch_tokens(model.config, model.device, model.dtype.itemsize)

    @property
    def name(self) -> str:
        return self._name

    @property
    def model_hash(self) -> str:
        return self._model_hash

    @property
    def capabilities(self) -> frozenset[Capability]:
        return frozenset({Capability.TEXT, Capability.SOFT, Capability.DEEP, Capability.LABEL_SCORES})

    @property
    def shape(self) -> ModelShape:
        model = self._forward.model
        return ModelShape(
            len(self._forward.layers), model.config.hidden_size, model.get_input_embeddings().num_embeddings
        )

    def encode(self, text: str) -> tuple[int, ...]:
        """The tokens of a text, without special tokens."""
        return self._encoder.encode_text(text)

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of some tokens."""
        return str(self._tokenizer.decode(list(token_ids)))

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        """See `Backend.score`.

        Raises:
            ModelMemoryError: a single row does not fit in the memory that is free.
        """
        check_call(self, prompts, queries)
        n_options = len(queries[0].options) if queries else 0
        logits = np.empty((len(prompts), len(queries), n_options))
        usages = tuple(self._score_one(prompt, queries, into=logits[number]) for number, prompt in enumerate(prompts))
        overflown = ~np.isfinite(logits).all(axis=-1)
        logits[overflown] = 0.0
        log_probabilities = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
        log_probabilities[overflown] = np.nan
        failures = tuple(Failure(int(prompt), int(query), _OVERFLOW) for prompt, query in np.argwhere(overflown))
        return Scores(log_probabilities, usages, failures)

    def hidden_stds(self, token_ids: Sequence[int], queries: Sequence[Query]) -> npt.NDArray[np.float64]:
        """See `VectorBackend.hidden_stds`; measured on the first rows, at most 64."""
        prompt = self._placed(tuple(token_ids), {})
        batches = self._batches(tuple(queries[:_ROWS_MEASURED]), len(token_ids))
        states = [self._forward.states(prompt, [sequence.ids for sequence in batch]) for batch in batches]
        stds = [clipped_std(torch.cat(layer)) for layer in zip(*states, strict=True)]
        stds[0] = float(self._forward.model.get_input_embeddings().weight.float().std())
        return np.array(stds)

    def _score_one(self, prompt: Prompt, queries: Sequence[Query], *, into: npt.NDArray[np.float64]) -> Usage:
        began = perf_counter()
        placed = self._placed(self._tokens(prompt), vectors_of(prompt))
        batches = self._batches(tuple(queries), len(placed.tokens) - placed.start)
        for batch in batches:
            self._score_batch(placed, batch, into)
        tokens = sum(len(placed.tokens) + len(sequence.ids) for batch in batches for sequence in batch)
        return Usage(len(queries), prompt_tokens=tokens, seconds=perf_counter() - began)

    def _score_batch(self, prompt: PlacedPrompt, batch: Batch, into: npt.NDArray[np.float64]) -> None:
        """Halve the batch where memory runs out, down to one sequence."""
        try:
            self._read(prompt, batch, into)
        except torch.OutOfMemoryError as error:
            self._forward.cache.clear()
            torch.cuda.empty_cache()
            if len(batch) == 1:
                raise ModelMemoryError(f"a row of {len(batch[0].ids)} tokens does not fit in free memory") from error
            half = len(batch) // 2
            self._score_batch(prompt, batch[:half], into)
            self._score_batch(prompt, batch[half:], into)

    def _read(self, prompt: PlacedPrompt, batch: Batch, into: npt.NDArray[np.float64]) -> None:
        """Write the options' scores, up to a constant for each query, to `into`, shape (n_queries, n_options)."""
        rows = [sequence.ids for sequence in batch]
        if all(sequence.option == ALL_OPTIONS for sequence in batch):
            asked = sorted({token for sequence in batch for token in sequence.targets})
            columns = torch.tensor(asked, device=self._forward.model.device)
            logits = self._forward.logits(prompt, rows, n_read=1, columns=columns)[:, 0].double().cpu().numpy()
            for sequence, read in zip(batch, logits, strict=True):
                into[sequence.query] = read[[asked.index(token) for token in sequence.targets]]
            return
        n_read = max(sequence.n_read for sequence in batch)
        for sequence, read in zip(batch, self._forward.logits(prompt, rows, n_read=n_read, columns=None), strict=True):
            targets = torch.tensor(sequence.targets, device=read.device)
            if sequence.option == ALL_OPTIONS:
                into[sequence.query] = read[-1, targets].double().cpu().numpy()
                continue
            likelihoods = torch.log_softmax(read[-len(targets) :], dim=-1)
            into[sequence.query, sequence.option] = float(likelihoods.gather(1, targets[:, None]).double().sum())

    def _cut(self, queries: tuple[Query, ...], n_prompt_tokens: int) -> tuple[Batch, ...]:
        """The queries as batches of token sequences, shortest first."""
        sequences = self._encoder.sequences(queries, n_prompt_tokens=n_prompt_tokens)
        extra = len(self._encoder.prefix) + n_prompt_tokens
        return tuple(cut_batches(sequences, extra=extra, batch_tokens=self.batch_tokens))

    def _tokens(self, prompt: Prompt) -> tuple[int, ...]:
        if isinstance(prompt, TextPrompt):
            return self.encode(prompt.text)
        check_fit(self, prompt)
        return prompt.token_ids

    def _placed(self, token_ids: tuple[int, ...], vectors: Vectors) -> PlacedPrompt:
        prefix = self._encoder.prefix
        return PlacedPrompt((*prefix, *token_ids), len(prefix), vectors)
