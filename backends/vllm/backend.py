"""The backend of a model behind vLLM: texts and soft prompts as sequences of embeddings.

Rows become tokens here, with the model's tokenizer, and embeddings by its own table; a soft prompt's vectors are added
to those of its tokens. What stands behind the blank is not seen, as by every decoder.

vLLM itself is not part of the tests: they ask a stand-in that checks what vLLM's own code checks, and computes with a
model of transformers. When a backend is made, the server must answer to embeddings as it does to their tokens.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from blackbox.backends.api.answer import Answer, Call
from blackbox.backends.api.openai import OpenAI
from blackbox.backends.api.transport import Transport
from blackbox.backends.base import Capability, Failure, ModelShape, Query, Scores, Usage
from blackbox.backends.checks import check_call, check_fit, check_layers, check_prompts
from blackbox.backends.errors import EndpointError, NoAnswerError
from blackbox.backends.fronts import EmbeddedFront, Frame
from blackbox.backends.local.encoding import CausalEncoder
from blackbox.backends.prompts import Prompt, SoftPrompt, TextPrompt
from blackbox.backends.states import evenly
from blackbox.backends.vllm.calls import MOST_ASKED, embeds_call, tokens_call, told
from blackbox.backends.vllm.reading import Ask, asks_of

_NEAR = {torch.float32: 0.01, torch.bfloat16: 0.3, torch.float16: 0.1}
"""Nats between what the server says behind tokens and behind their embeddings, at most."""


class VllmBackend:
    """See the module; `load_vllm` makes one from a name.

    Args:
        model: as the server names it.
        encoder: of the model's tokenizer.
        tokenizer: the same.
        embeddings: of all tokens, shape (vocabulary_size, hidden_size).
        transport: to the server.
        model_hash: of the weights at hand.
        dtype: that embeddings are sent in.

    Raises:
        EndpointError: the server does not take embeddings, has no log-probabilities of given tokens, or has other
            embeddings.
    """

    capabilities = frozenset({Capability.TEXT, Capability.SOFT, Capability.LABEL_SCORES, Capability.TARGETS})

    def __init__(
        self,
        model: str,
        encoder: CausalEncoder,
        tokenizer: Any,
        *,
        embeddings: npt.NDArray[np.float32],
        transport: Transport,
        model_hash: str,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.name, self.model_hash = model, model_hash
        self._encoder, self._tokenizer, self._embeddings = encoder, tokenizer, embeddings
        self._transport, self._dtype, self._dialect = transport, dtype, OpenAI(model, ("/completions",))
        self._threads = ThreadPoolExecutor(transport.parallel, thread_name_prefix="vllm")
        self._check_server()

    @property
    def shape(self) -> ModelShape:
        """Of what can be changed: the input layer alone."""
        vocabulary_size, hidden_size = self._embeddings.shape
        return ModelShape(1, hidden_size, vocabulary_size)

    def encode(self, text: str) -> tuple[int, ...]:
        """The tokens of a text, without special tokens."""
        return self._encoder.encode_text(text)

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of some tokens."""
        return str(self._tokenizer.decode(list(token_ids)))

    def hidden_stds(self, token_ids: Sequence[int], queries: Sequence[Query]) -> npt.NDArray[np.float64]:
        """That of the word embeddings, shape (1,): see `VectorBackend.hidden_stds`."""
        return np.array([float(torch.from_numpy(self._embeddings).std())])

    def hidden_states(
        self, token_ids: Sequence[int], queries: Sequence[Query], layers: Sequence[int]
    ) -> dict[int, npt.NDArray[np.float32]]:
        """Word embeddings, for layer 0: see `StatesBackend.hidden_states`."""
        check_layers(self, layers)
        return {layer: evenly(self._embeddings) for layer in layers}

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        """See `Backend.score`. A row that the server does not answer is missing, with the reason.

        Raises:
            StoppedError: the server is not to be had.
        """
        check_call(self, prompts, queries)
        fronts = [self._front(prompt) for prompt in prompts]
        sequences = self._encoder.sequences(queries)
        for front in fronts:
            self._encoder.check_length(queries, sequences, n_before=len(front))
        asks = asks_of(sequences, most=MOST_ASKED)
        calls = [self._call(front, ask) for front in fronts for ask in asks]
        answers = list(self._threads.map(self._answer, calls))
        n_options = len(queries[0].options) if queries else 0
        found = np.zeros((len(prompts), len(queries), n_options))
        usages, failures = [Usage()] * len(prompts), dict[tuple[int, int], str]()
        for place, answer in enumerate(answers):
            prompt, ask = place // len(asks), asks[place % len(asks)]
            reason = answer if isinstance(answer, str) else _added(answer, ask, found[prompt, ask.query])
            if reason:
                failures.setdefault((prompt, ask.query), reason)
            usages[prompt] += Usage(requests=1) if isinstance(answer, str) else answer.usage
        return _scores(found, usages, failures, n_queries=len(queries))

    @property
    def frame(self) -> Frame:
        """See `EmbeddingBackend`."""
        return self._encoder.frame

    def embedded_front(self, prompt: Prompt) -> EmbeddedFront:
        """See `EmbeddingBackend.embedded_front`."""
        check_prompts(self, [prompt])
        return EmbeddedFront(self._front(prompt))

    def close(self) -> None:
        """End the threads and close the connections."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._transport.close()

    def _front(self, prompt: Prompt) -> npt.NDArray[np.float32]:
        """The embeddings of what stands before every row, shape (n_tokens, hidden_size)."""
        begin = self._encoder.prefix
        if isinstance(prompt, TextPrompt):
            return self._embedded((*begin, *self.encode(prompt.whole)))
        check_fit(self, prompt)
        front = self._embedded((*begin, *prompt.token_ids))
        if isinstance(prompt, SoftPrompt):
            front[len(begin) :] += prompt.vectors
        return front

    def _embedded(self, tokens: Sequence[int]) -> npt.NDArray[np.float32]:
        return self._embeddings[np.array(tokens, dtype=np.int64)]  # a copy

    def _call(self, front: npt.NDArray[np.float32], ask: Ask) -> Call:
        embeddings = np.concatenate([front, self._embedded(ask.tokens)])
        asked = list(dict.fromkeys(ask.asked))
        return embeds_call(self.name, embeddings, asked, dtype=self._dtype)

    def _answer(self, call: Call) -> Answer | str:
        """The answer, or the reason why there is none."""
        try:
            return self._transport.ask(call, partial(self._dialect.read, call))
        except NoAnswerError as error:
            return str(error)

    def _check_server(self) -> None:
        tokens = (*self._encoder.prefix, *range(min(8, len(self._embeddings))))
        asked = tokens[-2:]
        found = []
        for call in (
            tokens_call(self.name, tokens, asked),
            embeds_call(self.name, self._embedded(tokens), asked, dtype=self._dtype),
        ):
            values = told(self._transport.ask(call, partial(self._dialect.read, call)), asked)
            if None in values:
                raise EndpointError(
                    f"{self._transport.base_url} does not tell the log-probabilities of given tokens "
                    "(logprob_token_ids); it needs a newer vLLM"
                )
            found.append(np.array(values, dtype=np.float64))
        difference = float(np.abs(found[0] - found[1]).max())
        if not difference <= _NEAR[self._dtype]:
            raise EndpointError(
                f"{self._transport.base_url} answers otherwise to the embeddings at hand than to their tokens (by "
                f"{difference:.2g} nats): model {self.name!r} there is another one, or it scales its embeddings"
            )


def _added(answer: Answer, ask: Ask, into: npt.NDArray[np.float64]) -> str | None:
    """Add what an answer tells to the scores of a row's options; the reason where it does not tell all."""
    for option, value in zip(ask.options, told(answer, ask.asked), strict=True):
        if value is None:
            return "the server has not told how probable an option is"
        into[option] += value
    return None


def _scores(
    found: npt.NDArray[np.float64], usages: Sequence[Usage], failures: dict[tuple[int, int], str], *, n_queries: int
) -> Scores:
    """Normalised over the options of a query; a single option's own log-probability is what is asked for."""
    if found.shape[-1] > 1:
        found -= np.logaddexp.reduce(found, axis=-1, keepdims=True)
    for place in failures:
        found[place] = np.nan
    counted = tuple(replace(one, requests=n_queries) for one in usages)  # however many calls a row has taken
    return Scores(found, counted, tuple(Failure(*place, reason) for place, reason in sorted(failures.items())))
