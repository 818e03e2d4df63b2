"""Causal language models of transformers, run in this process.

Every prompt is scored on its own, in the same batches of rows, so its scores do not depend on what else is in a call.
Rows are sorted by length and cut into batches that fit in memory, the output head sees only the positions that answer,
and layers below the first that differs from the prompt before do not run again. Source of the insertion: BBTv2, arXiv
2205.11200.
"""

from collections.abc import Hashable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from blackbox.backends.base import Capability, ModelShape, Query, Scores, Usage, check_call, check_fit
from blackbox.backends.errors import BackendSettingError, ModelMemoryError
from blackbox.backends.local.encoding import ALL_OPTIONS, Batch, QueryEncoder, cut_batches
from blackbox.backends.local.hidden_stds import clipped_std
from blackbox.backends.local.layer_cache import LayerCache, State, Vectors
from blackbox.backends.local.memory import default_cache_bytes, fitting_batch_tokens
from blackbox.backends.local.network import (
    adding,
    answers_in_tuples,
    before_layers,
    find_layers,
    head_reads,
    starting_at,
)
from blackbox.backends.prompts import Prompt, TextPrompt, vectors_of

_KNOWN_QUERIES = 16  # calls whose rows need not be tokenised again: a search has three or four sets of rows


class LocalBackend:
    """A loaded causal language model; `load_backend` makes one from a name.

    Args:
        model: a causal language model of transformers, on its device and in its precision.
        tokenizer: its tokenizer.
        name, model_hash: what identifies the model in saved prompts and run folders.
        batch_tokens: the most tokens of one forward pass, padding included; None fits it to the free memory.
        cache_bytes: the most memory for hidden states that the next prompt may share; 0 keeps none and runs every layer
            of every prompt, None is an eighth of the free memory.
        single_token_labels: refuse label words that are more than one token.
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
    ) -> None:
        if batch_tokens is not None and batch_tokens < 1:
            raise BackendSettingError(f"batch_tokens must be at least 1, got {batch_tokens}")
        self._model = model.eval().requires_grad_(False)
        self._layers = find_layers(model)
        self._head = model.get_output_embeddings()
        self._tokenizer = tokenizer
        self._encoder = QueryEncoder(
            tokenizer,
            single_token_labels=single_token_labels,
            max_tokens=getattr(model.config, "max_position_embeddings", None) or 1_000_000,
        )
        self._name, self._model_hash = name, model_hash
        self._tuples = answers_in_tuples(model, self._layers)
        self._cache = LayerCache(
            len(self._layers), limit=cache_bytes if cache_bytes is not None else default_cache_bytes(model.device)
        )
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
        embeddings = self._model.get_input_embeddings()
        return ModelShape(len(self._layers), self._model.config.hidden_size, embeddings.num_embeddings)

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
        return Scores(logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True), usages)

    def hidden_stds(self, token_ids: Sequence[int], queries: Sequence[Query]) -> npt.NDArray[np.float64]:
        """See `VectorBackend.hidden_stds`."""
        states: list[list[Tensor]] = [[] for _ in self._layers]
        mask = torch.empty(0, dtype=torch.bool)

        def keep(layer: int, hidden: Tensor) -> Tensor:
            states[layer].append(hidden[mask].float().cpu())
            return hidden

        for batch in self._batches(tuple(queries), len(token_ids)):
            ids, mask = self._padded(token_ids, batch)
            with torch.inference_mode(), before_layers(self._layers, keep), head_reads(self._head, mask[:, :1].long()):
                self._model(input_ids=ids, attention_mask=mask.long(), use_cache=False)
        stds = [clipped_std(torch.cat(layer)) for layer in states]
        stds[0] = float(self._model.get_input_embeddings().weight.float().std())
        return np.array(stds)

    def _score_one(self, prompt: Prompt, queries: Sequence[Query], *, into: npt.NDArray[np.float64]) -> Usage:
        began = perf_counter()
        token_ids = self._tokens(prompt)
        batches = self._batches(tuple(queries), len(token_ids))
        with torch.inference_mode():
            for batch in batches:
                self._score_batch(token_ids, vectors_of(prompt), batch, into)
        head = len(self._encoder.prefix) + len(token_ids)
        tokens = sum(head + len(sequence.ids) for batch in batches for sequence in batch)
        return Usage(len(queries), prompt_tokens=tokens, seconds=perf_counter() - began)

    def _score_batch(
        self, token_ids: tuple[int, ...], vectors: Vectors, batch: Batch, into: npt.NDArray[np.float64]
    ) -> None:
        """Halve the batch where memory runs out, down to one sequence."""
        try:
            self._score_padded(token_ids, vectors, batch, into)
        except torch.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            if len(batch) == 1:
                raise ModelMemoryError(f"a row of {len(batch[0].ids)} tokens does not fit in free memory") from error
            half = len(batch) // 2
            self._score_batch(token_ids, vectors, batch[:half], into)
            self._score_batch(token_ids, vectors, batch[half:], into)

    def _score_padded(
        self, token_ids: tuple[int, ...], vectors: Vectors, batch: Batch, into: npt.NDArray[np.float64]
    ) -> None:
        ids, mask = self._padded(token_ids, batch)
        n_read = max(sequence.n_read for sequence in batch)
        ends = mask.sum(dim=1, keepdim=True)
        positions = (ends - n_read + torch.arange(n_read, device=ids.device)).clamp(min=0)
        with head_reads(self._head, positions), self._inserted((token_ids, batch), vectors):
            logits = self._model(input_ids=ids, attention_mask=mask.long(), use_cache=False).logits.float()
        for sequence, read in zip(batch, logits, strict=True):
            targets = torch.tensor(sequence.targets, device=read.device)
            if sequence.option == ALL_OPTIONS:
                into[sequence.query] = read[-1, targets].double().cpu().numpy()
                continue
            likelihoods = torch.log_softmax(read[-len(targets) :], dim=-1)
            into[sequence.query, sequence.option] = float(likelihoods.gather(1, targets[:, None]).double().sum())

    @contextmanager
    def _inserted(self, key: Hashable, vectors: Vectors) -> Iterator[None]:
        """While open, the model's forward pass adds the vectors, and starts from what the last prompt shared."""
        shortcut = self._cache.shortcut(key, vectors)
        place = {"device": self._model.device, "dtype": self._model.dtype}
        added = {i: torch.tensor(array, **place) for i, array in vectors.items() if i >= shortcut.first}
        kept: list[Tensor] = []
        with ExitStack() as stack:
            stack.enter_context(
                before_layers(self._layers, adding(added, len(self._encoder.prefix), shortcut.keep, kept))
            )
            if shortcut.state and shortcut.first:
                hidden = shortcut.state.hidden
                stack.enter_context(starting_at(self._layers, shortcut.first, hidden, tuples=self._tuples))
            yield
        if shortcut.keep is not None and kept:
            self._cache.keep(key, State(shortcut.keep, kept[0], vectors))

    def _cut(self, queries: tuple[Query, ...], n_prompt_tokens: int) -> tuple[Batch, ...]:
        """The queries as batches of token sequences, shortest first."""
        sequences = self._encoder.sequences(queries, n_prompt_tokens=n_prompt_tokens)
        extra = len(self._encoder.prefix) + n_prompt_tokens
        return tuple(cut_batches(sequences, extra=extra, batch_tokens=self.batch_tokens))

    def _padded(self, token_ids: Sequence[int], batch: Batch) -> tuple[Tensor, Tensor]:
        """Token ids, padded at the right, and the mask of real tokens; both of shape (sequences, positions)."""
        head = [*self._encoder.prefix, *token_ids]
        rows = [torch.tensor([*head, *sequence.ids]) for sequence in batch]
        ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
        lengths = torch.tensor([len(row) for row in rows])
        mask = torch.arange(ids.shape[1]) < lengths[:, None]
        return ids.to(self._model.device), mask.to(self._model.device)

    def _tokens(self, prompt: Prompt) -> tuple[int, ...]:
        if isinstance(prompt, TextPrompt):
            return self.encode(prompt.text)
        check_fit(self, prompt)
        return prompt.token_ids
