"""The backend of a model that runs elsewhere, behind a model server."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from blackbox.backends.base import Capability, Generations, ModelShape, Query, Scores
from blackbox.backends.checks import check_call, check_fit, check_layers, check_prompts, require
from blackbox.backends.errors import BackendSettingError
from blackbox.backends.prompts import PrefixPrompt, Prompt, TextPrompt
from blackbox.backends.remote import answers
from blackbox.backends.remote.container import packed
from blackbox.backends.remote.description import Description, read_description
from blackbox.backends.remote.messages import (
    GenerateMessage,
    Message,
    PrefixMessage,
    QueryPart,
    ScoreMessage,
    SpreadsMessage,
    StatesMessage,
    TextMessage,
    TokensMessage,
    WritingPart,
)
from blackbox.backends.remote.prompts import parts_of
from blackbox.backends.writing import GREEDY, Writing

TOKEN_VARIABLE = "BLACKBOX_MODEL_TOKEN"
"""The environment variable that holds the server's token, where no other is named."""


class RemoteBackend:
    """A model behind `blackbox serve-model`, asked over HTTP as it would be in this process.

    It has the name, the hash, the capabilities and the shape of the model there, and the same scores bit for bit.
    Calls are sent again through outages. It can be pickled, without the token: whoever unpickles it has that in the
    same environment variable. Safe for threads.

    Args:
        base_url: where the server is, e.g. "http://gpu1:8100".
        key_variable: the environment variable that holds the server's token; None is `BLACKBOX_MODEL_TOKEN`, where
            that is set.
        parallel: connections that are kept.
        call_seconds: for one attempt of a call. One that takes longer is asked for again; the server goes on with it.
        outage_seconds: how long a server that does not answer is waited for.

    Raises:
        BackendSettingError: the variable that is named holds no token, or no URL.
        EndpointError: there is no model server, it refuses the token, or speaks another version of the protocol.
    """

    def __init__(
        self,
        base_url: str,
        *,
        key_variable: str | None = None,
        parallel: int = 16,
        call_seconds: float = 60.0,
        outage_seconds: float = 600.0,
    ) -> None:
        self._connect(base_url, key_variable, parallel, call_seconds, outage_seconds)
        self._described = read_description(self._transport.first("/v1/model"))

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self._settings, self._described)

    @property
    def name(self) -> str:
        return self._described.name

    @property
    def model_hash(self) -> str:
        return self._described.model_hash

    @property
    def capabilities(self) -> frozenset[Capability]:
        return self._described.model_capabilities

    @property
    def shape(self) -> ModelShape:
        return self._described.model_shape

    @property
    def description(self) -> Description:
        """What the server says of its model."""
        return self._described

    @property
    def base_url(self) -> str:
        """Of the server, without what may be secret."""
        return str(self._transport)

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        """See `Backend.score`.

        Raises:
            StoppedError: the server is not to be had, has another model by now, or takes the token no longer.
        """
        check_call(self, prompts, queries)
        self._check_fit(prompts)
        parts, arrays = parts_of(prompts)
        message = ScoreMessage(model=self.model_hash, prompts=parts, queries=_parts(queries))
        content = self._ask("/v1/score", message, arrays, prompts=len(prompts), rows=len(queries))
        return answers.read_scores(content, prompts=len(prompts), queries=len(queries))

    def generate(self, prompts: Sequence[Prompt], queries: Sequence[Query], writing: Writing = GREEDY) -> Generations:
        """See `GeneratingBackend.generate`; errors as of `score`, and a masked model does not write."""
        require(self, Capability.GENERATE)
        check_prompts(self, prompts)
        self._check_fit(prompts)
        parts, arrays = parts_of(prompts)
        message = GenerateMessage(
            model=self.model_hash, prompts=parts, queries=_parts(queries), writing=WritingPart.of(writing)
        )
        content = self._ask("/v1/generate", message, arrays, prompts=len(prompts), rows=len(queries))
        return answers.read_generations(content, prompts=len(prompts), queries=len(queries))

    def encode(self, text: str) -> tuple[int, ...]:
        """The tokens of a text, without special tokens."""
        return answers.read_tokens(self._ask("/v1/tokens", TokensMessage(model=self.model_hash, text=text)))

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of some tokens."""
        return answers.read_text(self._ask("/v1/text", TextMessage(model=self.model_hash, tokens=_tokens(token_ids))))

    def hidden_stds(self, token_ids: Sequence[int], queries: Sequence[Query]) -> npt.NDArray[np.float64]:
        """See `VectorBackend.hidden_stds`."""
        message = SpreadsMessage(model=self.model_hash, tokens=_tokens(token_ids), queries=_parts(queries))
        content = self._ask("/v1/spreads", message, rows=len(queries))
        return np.array(answers.read_arrays(content, ["stds"], dtype=np.float64)["stds"])

    def hidden_states(
        self, token_ids: Sequence[int], queries: Sequence[Query], layers: Sequence[int]
    ) -> dict[int, npt.NDArray[np.float32]]:
        """See `StatesBackend.hidden_states`; a call for each layer."""
        check_layers(self, layers)
        return {layer: self._states(token_ids, queries, layer) for layer in layers}

    def prefix_of(self, token_ids: Sequence[int]) -> PrefixPrompt:
        """See `PrefixBackend.prefix_of`."""
        require(self, Capability.PREFIX)
        content = self._ask("/v1/prefix", PrefixMessage(model=self.model_hash, tokens=_tokens(token_ids)))
        names = [str(layer) for layer in range(self.shape.n_layers)]
        arrays = answers.read_arrays(content, names, dtype=np.float32)
        return PrefixPrompt(tuple(token_ids), {int(layer): arrays[layer] for layer in names})

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _states(self, token_ids: Sequence[int], queries: Sequence[Query], layer: int) -> npt.NDArray[np.float32]:
        message = StatesMessage(model=self.model_hash, tokens=_tokens(token_ids), queries=_parts(queries), layer=layer)
        content = self._ask("/v1/states", message, rows=len(queries))
        return np.array(answers.read_arrays(content, ["states"], dtype=np.float32)["states"])

    def _connect(
        self, base_url: str, key_variable: str | None, parallel: int, call_seconds: float, outage_seconds: float
    ) -> None:
        from blackbox.backends.remote.transport import Transport  # HTTP is for those who ask for it

        self._settings = (base_url, key_variable, parallel, call_seconds, outage_seconds)
        self._transport = Transport(
            base_url,
            key=_key(key_variable),
            parallel=parallel,
            call_seconds=call_seconds,
            outage_seconds=outage_seconds,
        )

    def _ask(self, path: str, message: Message, arrays: Any = None, *, prompts: int = 0, rows: int = 0) -> bytes:
        limits = self._described.limits
        body = packed(message.model_dump(), arrays or {})
        for what, count, most in (
            ("prompts", prompts, limits.prompts),
            ("rows", rows, limits.rows),
            ("bytes", len(body), limits.body_bytes),
        ):
            if count > most:
                raise BackendSettingError(
                    f"a call may have {most} {what} at {self._transport}, got {count}; use a smaller slice_size, fewer "
                    "rows, or start the server with a higher limit"
                )
        return self._transport.ask(path, body)

    def _check_fit(self, prompts: Sequence[Prompt]) -> None:
        for prompt in prompts:
            if not isinstance(prompt, TextPrompt):
                check_fit(self, prompt)


def _again(settings: tuple[Any, ...], described: Description) -> RemoteBackend:
    """What was pickled; the server is not asked again what it has."""
    backend = RemoteBackend.__new__(RemoteBackend)
    backend._connect(*settings)
    backend._described = described
    return backend


def _key(variable: str | None) -> str | None:
    key = os.environ.get(variable or TOKEN_VARIABLE, "").strip()
    if variable and not key:
        raise BackendSettingError(f"the environment variable {variable} holds no token; set it, or name another")
    return key or None


def _parts(queries: Sequence[Query]) -> list[QueryPart]:
    return [QueryPart.of(query) for query in queries]


def _tokens(token_ids: Sequence[int]) -> list[int]:
    return [int(token) for token in token_ids]
