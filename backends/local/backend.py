"""Language models of transformers, run in this process.

A call's prompts are scored in passes of several prompts and rows that fit in memory; what need not be computed twice is
left out where the model's family is known (`fast_forward`). Source of the insertions: BBTv2, arXiv 2205.11200, and
prefix-tuning, arXiv 2101.00190.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import Lock
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from blackbox.backends.base import BlankStates, Capability, Failure, Generations, ModelShape, Query, Scores, Usage
from blackbox.backends.checks import check_call, check_fit, check_layers, check_prompts, require
from blackbox.backends.errors import BackendSettingError, ModelMemoryError
from blackbox.backends.fronts import CachedFront, EmbeddedFront, Frame
from blackbox.backends.local.forward import make_forward
from blackbox.backends.local.fronts import cached_front, embedded_front
from blackbox.backends.local.layer_cache import LayerCache
from blackbox.backends.local.memory import default_cache_bytes, fitting_batch_tokens, is_out_of_memory
from blackbox.backends.local.packing import reads_of
from blackbox.backends.local.placed import PlacedPrompt, alike
from blackbox.backends.local.reading import Reading, first_position, query_encoder, reading_of
from blackbox.backends.local.sequences import Batch, TokenSequence, cut_batches
from blackbox.backends.local.shared_fronts import with_shared_fronts
from blackbox.backends.local.sharing import put_together, taken_apart
from blackbox.backends.local.vocabulary import whole_words
from blackbox.backends.local.whole_forward import WholeForward
from blackbox.backends.local.writer import OVERFLOW, Writer
from blackbox.backends.prompts import DecomposedPrompt, PrefixPrompt, Prompt, TextPrompt, vectors_of
from blackbox.backends.spread import clipped_std
from blackbox.backends.states import evenly
from blackbox.backends.writing import GREEDY, Writing

FloatArray = npt.NDArray[np.float64]

_ROWS_MEASURED = 64  # the states of all layers are held at once
_KNOWN_QUERIES = 16  # calls whose rows need not be tokenised again: a search has three or four sets of rows


@dataclass(frozen=True, eq=False)
class _Wanted:
    """What a call reads.

    Attributes:
        sequences: of its queries.
        forward: the pass that reads it.
        shape: of what is read behind a prompt for a query, its options first.
    """

    sequences: Callable[[tuple[Query, ...]], tuple[TokenSequence, ...]]
    forward: Callable[..., torch.Tensor]
    shape: tuple[int, ...]


class LocalBackend:
    """A loaded language model; `load_backend` makes one from a name.

    Args:
        model: a causal, masked or encoder-decoder language model of transformers, on its device and in its precision.
        tokenizer: its tokenizer.
        name, model_hash: what identifies the model in saved prompts and run folders.
        batch_tokens: the most tokens of one forward pass; None fits it to the device.
        cache_bytes: the most memory for hidden states that later prompts may share; 0 keeps none, None is a sixteenth
            of the device's.
        cache_on: "device" or "host": where these states are kept.
        single_token_labels: refuse label words that are more than one token.
        shortcuts: False runs the whole model for every prompt.
        threads: of a forward pass on the CPU, of this process from now on; None leaves their number as it is.

    Attributes:
        model: the model.
        layers: those that deep prompts change; of an encoder-decoder, the encoder's.
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
        cache_on: str = "device",
        single_token_labels: bool = False,
        shortcuts: bool = True,
        threads: int | None = None,
    ) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        if batch_tokens is not None and batch_tokens < 1:
            raise BackendSettingError(f"batch_tokens must be at least 1, got {batch_tokens}")
        if cache_on not in ("device", "host"):
            raise BackendSettingError(f"cache_on must be 'device' or 'host', got {cache_on!r}")
        model.eval().requires_grad_(False)
        limit = default_cache_bytes(model.device) if cache_bytes is None else cache_bytes
        self._encoder = query_encoder(model, tokenizer, single_token_labels=single_token_labels)
        self._reading = reading_of(model.config)
        self._whole = WholeForward(model, self._reading)
        cache = LayerCache(len(self._whole.layers), limit=limit, device="cpu" if cache_on == "host" else None)
        self._forward = make_forward(self._whole, cache) if shortcuts else self._whole
        self.model, self.layers = model, self._whole.layers
        self._cache, self._tokenizer = cache, tokenizer
        self._name, self._model_hash = name, model_hash
        self._sequences = lru_cache(maxsize=_KNOWN_QUERIES)(self._encoded)
        self._blanks = lru_cache(maxsize=_KNOWN_QUERIES)(lambda queries: tuple(self._encoder.blanks(queries)))
        self._cut = lru_cache(maxsize=_KNOWN_QUERIES)(self._cut_batches)
        self._most_prompts = sys.maxsize  # of a pass; fewer once memory has run out
        self._key_value_width = self._whole.key_value_width()
        self._writer = Writer(self._whole, self._encoder, tokenizer, lambda: self.batch_tokens)
        self.batch_tokens = batch_tokens or fitting_batch_tokens(model.config, model.device, model.dtype.itemsize)
        self._lock = Lock()  # calls of several threads wait for each other
        self._settings = {
            "name": name,
            "model_hash": model_hash,
            "cache_bytes": limit,
            "cache_on": cache_on,
            "single_token_labels": single_token_labels,
            "shortcuts": shortcuts,
            "threads": threads,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled, with its weights as arrays of their own; what it has in its cache is left behind."""
        settings = {**self._settings, "batch_tokens": self.batch_tokens}  # rounding depends on how rows are batched
        return _put_together, (*taken_apart(self.model), self._tokenizer, settings)

    def to(self, device: str) -> "LocalBackend":
        """The same model on another device. Its weights leave this one."""
        settings: dict[str, Any] = {**self._settings, "cache_bytes": None, "batch_tokens": None}
        return LocalBackend(self.model.to(device), self._tokenizer, **settings)

    @property
    def name(self) -> str:
        return self._name

    @property
    def model_hash(self) -> str:
        return self._model_hash

    @property
    def capabilities(self) -> frozenset[Capability]:
        prompts = {Capability.TEXT, Capability.SOFT, Capability.DEEP, Capability.DECOMPOSED}
        prefixes = {Capability.PREFIX} if self._key_value_width else set()
        infill = {Capability.INFILL} if self._reading is not Reading.CAUSAL else set()
        targets = {Capability.TARGETS} if self._reading is not Reading.MASKED else set()
        writes = {Capability.GENERATE} if self._reading is not Reading.MASKED else set()
        told = {Capability.LABEL_SCORES, Capability.STATES, Capability.VOCABULARY}
        return frozenset(prompts | prefixes | infill | targets | writes | told)

    @property
    def shape(self) -> ModelShape:
        return ModelShape(
            len(self.layers),
            self.model.config.hidden_size,
            self.model.get_input_embeddings().num_embeddings,
            self._key_value_width,
        )

    @property
    def facts(self) -> dict[str, str]:
        """What the model is: `family`, the type of the model, and the `dtype` and `device` that it runs in and on."""
        dtype = str(self.model.dtype).removeprefix("torch.")
        return {"family": str(self.model.config.model_type), "dtype": dtype, "device": str(self.model.device)}

    def read_together(self, first: Prompt, second: Prompt) -> bool:
        """Whether two prompts that follow each other in a call share passes: the rounding of each depends on both."""
        return self._placed(first).stands_as(self._placed(second))

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
        with self._lock:
            return _scores(
                *self._read_all(prompts, queries, _Wanted(self._sequences, self._forward.answers, (n_options,)))
            )

    def blank_states(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> BlankStates:
        """See `BlankStatesBackend.blank_states`.

        Raises:
            ModelMemoryError: as of `score`.
        """
        check_prompts(self, prompts)
        wanted = _Wanted(self._blanks, self._forward.outputs, (1, self._forward.width))
        with self._lock:
            vectors, usages = self._read_all(prompts, queries, wanted)
        vectors[~np.isfinite(vectors).all(axis=-1)] = np.nan
        return BlankStates(vectors[:, :, 0], usages)

    def token_log_probabilities(self, vectors: FloatArray) -> FloatArray:
        """See `VocabularyBackend.token_log_probabilities`."""
        with self._lock:
            logits: FloatArray = self._forward.logits(torch.from_numpy(vectors)).numpy()
        return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)

    def whole_words(self, query: Query) -> dict[int, str]:
        """See `VocabularyBackend.whole_words`."""
        context, space = self._encoder.before_blank(query)
        return whole_words(self._tokenizer, context[-1:], space, self.shape.vocabulary_size)

    def is_one_token(self, query: Query, word: str) -> bool:
        """See `VocabularyBackend.is_one_token`."""
        context, space = self._encoder.before_blank(query)
        text = query.before.removesuffix(" ") + space + word
        return len(self.encode(text)) == len(context) + 1 and self.encode(text)[:-1] == context

    def _read_all(
        self, prompts: Sequence[Prompt], queries: Sequence[Query], wanted: _Wanted
    ) -> tuple[FloatArray, tuple[Usage, ...]]:
        """What is read behind each prompt, shape (n_prompts, n_queries, n_options, ...), and what each has cost."""
        placed = [self._placed(prompt) for prompt in prompts]
        distinct = list(dict.fromkeys(queries))  # equal rows are read once
        found = np.zeros((len(prompts), len(distinct), *wanted.shape))
        usages = [Usage()] * len(prompts)
        for group in alike(placed):
            used = self._read_group([placed[i] for i in group], distinct, found[group[0] : group[-1] + 1], wanted)
            usages[group[0] : group[-1] + 1] = [used + Usage(len(queries))] * len(group)
        place = {query: index for index, query in enumerate(distinct)}
        return found[:, [place[query] for query in queries]], tuple(usages)

    def generate(self, prompts: Sequence[Prompt], queries: Sequence[Query], writing: Writing = GREEDY) -> Generations:
        """See `GeneratingBackend.generate`. Equal rows are read once.

        A model whose tokenizer has a chat template is asked through it for text prompts: instruction and rows are
        turns, as at an endpoint. Any other model goes on with prompt and row as they are, and so does every model
        behind vectors: what a chat model reads behind these is the row's text alone.

        Raises:
            UnsupportedPromptError: also of a masked model, which does not write.
            ModelMemoryError: as of `score`.
        """
        require(self, Capability.GENERATE)
        check_prompts(self, prompts)
        with self._lock:
            return self._writer.generate(prompts, [self._placed(prompt) for prompt in prompts], queries, writing)

    def hidden_stds(self, token_ids: Sequence[int], queries: Sequence[Query]) -> FloatArray:
        """See `VectorBackend.hidden_stds`; measured on the first rows, at most 64."""
        prompt, batches = self._measured(token_ids, queries)
        states = [self._whole.states(prompt, batch.sequences) for batch in batches]
        stds = [clipped_std(torch.cat(layer).numpy()) for layer in zip(*states, strict=True)]
        stds[0] = float(self.model.get_input_embeddings().weight.float().std())
        return np.array(stds)

    def hidden_states(
        self, token_ids: Sequence[int], queries: Sequence[Query], layers: Sequence[int]
    ) -> dict[int, npt.NDArray[np.float32]]:
        """See `StatesBackend.hidden_states`; of the first rows, at most 64."""
        check_layers(self, layers)
        prompt, batches = self._measured(token_ids, queries)
        lengths = [len(one.ids) for batch in batches for one in batch.sequences]
        new = np.concatenate([np.arange(prompt.length + length) >= prompt.length for length in lengths])
        new[: prompt.length] = True  # the prompt's own states, often the same in all rows, count once
        with self._lock:
            of_batches = [self._whole.states(prompt, batch.sequences) for batch in batches]
        states = {layer: torch.cat([one[layer] for one in of_batches])[new] for layer in layers if layer}
        table = {0: self.model.get_input_embeddings().weight} if 0 in layers else {}
        return {layer: evenly(found).float().cpu().numpy() for layer, found in (table | states).items()}

    def prefix_of(self, token_ids: Sequence[int]) -> PrefixPrompt:
        """See `PrefixBackend.prefix_of`. A decoder's prefix begins with what begins every text, where there is such."""
        begin = self._encoder.prefix
        keys_values = self._whole.keys_values((*begin, *token_ids))
        first = 0 if self._reading is Reading.CAUSAL else len(begin)
        arrays = {layer: pair[:, first:].numpy() for layer, pair in enumerate(keys_values)}
        return PrefixPrompt(tuple(token_ids), arrays)

    @property
    def frame(self) -> Frame:
        """See `EmbeddingBackend`."""
        masked = self._reading is Reading.MASKED
        return replace(self._encoder.frame, first_position=first_position(self.model) if masked else 0)

    def embedded_front(self, prompt: Prompt) -> EmbeddedFront:
        """See `EmbeddingBackend.embedded_front`."""
        with self._lock:
            return embedded_front(self._whole, self._placed(prompt))

    def cached_front(self, prompt: Prompt) -> CachedFront:
        """See `CachingBackend.cached_front`."""
        with self._lock:
            return cached_front(self._whole, self._placed(prompt))

    def _measured(self, token_ids: Sequence[int], queries: Sequence[Query]) -> tuple[PlacedPrompt, tuple[Batch, ...]]:
        """The prompt and the rows whose states are looked at, each with a front of its own."""
        prompt = PlacedPrompt((*self._encoder.prefix, *token_ids), len(self._encoder.prefix), {})
        rows = queries[:_ROWS_MEASURED]
        return prompt, self._batches(rows, n_before=prompt.length, extra=prompt.length, sequences=self._apart)

    def cache_bytes_needed(self, token_ids: Sequence[int], queries: Sequence[Query]) -> int:
        """What the hidden states take that a search on these rows keeps, bytes; the cache's limit apart."""
        prompt = PlacedPrompt((*self._encoder.prefix, *token_ids), len(self._encoder.prefix), {})
        extra = self._forward.read_with_each_row(prompt)
        batches = self._batches(list(dict.fromkeys(queries)), n_before=prompt.length, extra=extra)
        return self._forward.state_bytes(prompt, batches)

    @property
    def cache_bytes(self) -> int:
        """What the hidden states take that are kept now, bytes."""
        return self._cache.bytes

    def _read_group(
        self, prompts: list[PlacedPrompt], queries: Sequence[Query], into: FloatArray, wanted: _Wanted
    ) -> Usage:
        """Read behind prompts that differ in nothing but their vectors; what each of them has cost."""
        began = perf_counter()
        extra = self._forward.read_with_each_row(prompts[0])
        causal = self._reading is Reading.CAUSAL
        n_before = prompts[0].length if causal else len(prompts[0].tokens)  # an encoder's prefix has no positions
        batches = self._batches(queries, n_before=n_before, extra=extra, sequences=wanted.sequences)
        longest = max((batch.n_tokens(extra) for batch in batches), default=1)
        at_once = max(1, self.batch_tokens // longest)
        together = min(len(prompts), self._most_prompts)
        for first in range(0, len(prompts), together):
            part = slice(first, first + together)
            for batch in batches:
                self._read(prompts[part], batch, at_once, into[part], wanted)
        tokens = sum(batch.n_tokens(prompts[0].length) for batch in batches)
        return Usage(prompt_tokens=tokens, seconds=(perf_counter() - began) / len(prompts))

    def _read(self, prompts: list[PlacedPrompt], batch: Batch, at_once: int, into: FloatArray, wanted: _Wanted) -> None:
        """Add what is read to `into`, shape (n_prompts, n_queries, n_options, ...).

        Where memory runs out, the prompts of a pass are halved, then its rows, down to one prompt and one row; later
        calls begin with what was left.
        """
        together = min(at_once, len(prompts))
        found = self._answers(prompts, batch, together, wanted)
        if found is not None:
            rows, options = reads_of(batch, torch.device("cpu")).into.numpy()
            for number in range(len(prompts)):
                np.add.at(into[number], (rows, options), found[number])
        elif together > 1:
            fewer = self._most_prompts = together // 2  # in all: a call's prompts are themselves read in one pass
            for first in range(0, len(prompts), fewer):
                self._read(prompts[first : first + fewer], batch, fewer, into[first : first + fewer], wanted)
        else:
            tokens = batch.n_tokens(self._forward.read_with_each_row(prompts[0]))
            self.batch_tokens = min(self.batch_tokens, max(1, tokens // 2))
            self._cut.cache_clear()
            for part in batch.halves():
                self._read(prompts, part, together, into, wanted)

    def _answers(self, prompts: list[PlacedPrompt], batch: Batch, at_once: int, wanted: _Wanted) -> FloatArray | None:
        """What the forward pass answers, shape (n_prompts, n_targets, ...); None where memory ran out.

        All that the failed pass held is free by then: its error, which holds it, does not leave here.
        """
        try:
            found: FloatArray = wanted.forward(prompts, batch, at_once=at_once).numpy()
            return found
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            if at_once == len(batch.sequences) == 1:
                length = len(batch.sequences[0].ids)
                raise ModelMemoryError(f"a row of {length} tokens does not fit in free memory") from error
        self._cache.clear()
        torch.cuda.empty_cache()
        return None

    def _batches(
        self,
        queries: Sequence[Query],
        *,
        n_before: int,
        extra: int,
        sequences: Callable[[tuple[Query, ...]], tuple[TokenSequence, ...]] | None = None,
    ) -> tuple[Batch, ...]:
        """The queries as batches of sequences that fit behind `n_before` tokens, `extra` of them read with each."""
        of_queries = tuple(queries)
        found = (sequences or self._sequences)(of_queries)
        self._encoder.check_length(of_queries, found, n_before=n_before)
        return self._cut(found, extra)

    def _apart(self, queries: tuple[Query, ...]) -> tuple[TokenSequence, ...]:
        return tuple(self._encoder.sequences(queries))

    def _encoded(self, queries: tuple[Query, ...]) -> tuple[TokenSequence, ...]:
        sequences = self._apart(queries)
        return tuple(with_shared_fronts(sequences)) if self._reading is Reading.CAUSAL else sequences

    def _cut_batches(self, sequences: tuple[TokenSequence, ...], extra: int) -> tuple[Batch, ...]:
        return tuple(cut_batches(sequences, extra=extra, batch_tokens=self.batch_tokens))

    def _placed(self, prompt: Prompt) -> PlacedPrompt:
        begin = self._encoder.prefix
        if isinstance(prompt, TextPrompt):
            return PlacedPrompt((*begin, *self.encode(prompt.whole)), len(begin), {})
        check_fit(self, prompt)
        if isinstance(prompt, DecomposedPrompt):
            rows = len(prompt.vectors) - len(prompt.token_ids)
            return PlacedPrompt((*begin, *prompt.token_ids), len(begin), vectors_of(prompt), row_vectors=rows)
        if not isinstance(prompt, PrefixPrompt):
            return PlacedPrompt((*begin, *prompt.token_ids), len(begin), vectors_of(prompt))
        front = () if self._reading is Reading.CAUSAL else begin  # a decoder's prefix holds the beginning itself
        return PlacedPrompt(front, len(front), prompt.keys_values, prefix=True)


def _put_together(skeleton: bytes, arrays: list[Any], tokenizer: Any, settings: dict[str, Any]) -> LocalBackend:
    return LocalBackend(put_together(skeleton, arrays), tokenizer, **settings)


def _scores(values: FloatArray, usages: tuple[Usage, ...]) -> Scores:
    """Normalised over the options of a query; a single option's own log-probability is what is asked for."""
    overflown = ~np.isfinite(values).all(axis=-1)
    values[overflown] = 0.0
    if values.shape[-1] > 1:
        values -= np.logaddexp.reduce(values, axis=-1, keepdims=True)
    values[overflown] = np.nan
    failures = tuple(Failure(int(prompt), int(query), OVERFLOW) for prompt, query in np.argwhere(overflown))
    return Scores(values, usages, failures)
