"""Calls of the model server: made of a message, checked, and what each asks the backend.

All checks that need no model are made here, before a call waits for its turn; they are those of the backends.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from blackbox.backends import Prompt, Query, Scores, TextPrompt, Writing
from blackbox.backends.base import Capability
from blackbox.backends.checks import check_call, check_fit, check_layers, check_prompts, require
from blackbox.backends.errors import BackendSettingError, MessageError, QueryError
from blackbox.backends.prompts import DecomposedPrompt, PrefixPrompt
from blackbox.backends.remote import answers
from blackbox.backends.remote.container import unpacked
from blackbox.backends.remote.description import Limits
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
    read,
)
from blackbox.backends.remote.prompts import checked_vectors, first_layers, prompts_of
from blackbox.errors import MismatchError
from blackbox.model_server.known_arrays import KnownArrays
from blackbox.model_server.served import ServableBackend


@dataclass(frozen=True, eq=False)
class ScoreCall:
    """Scores are asked for; calls on the same queries may be done together."""

    prompts: Sequence[Prompt]
    queries: tuple[Query, ...]

    def scored(self, backend: ServableBackend) -> Scores:
        return backend.score(self.prompts, self.queries)

    def __call__(self, backend: ServableBackend) -> bytes:
        return answers.packed_scores(self.scored(backend))


@dataclass(frozen=True, eq=False)
class OtherCall:
    """Anything else, done alone."""

    do: Callable[[ServableBackend], bytes]

    def __call__(self, backend: ServableBackend) -> bytes:
        return self.do(backend)


Call = ScoreCall | OtherCall


class Reader:
    """Makes calls of messages.

    Args:
        backend: that they are for.
        limits: of a call.
    """

    def __init__(self, backend: ServableBackend, limits: Limits) -> None:
        self._backend, self._limits, self._arrays = backend, limits, KnownArrays()
        self._kinds: dict[str, tuple[type[Message], Callable[..., Call]]] = {
            "/v1/score": (ScoreMessage, self._score),
            "/v1/generate": (GenerateMessage, self._generate),
            "/v1/tokens": (TokensMessage, self._tokens),
            "/v1/text": (TextMessage, self._text),
            "/v1/spreads": (SpreadsMessage, self._spreads),
            "/v1/states": (StatesMessage, self._states),
            "/v1/prefix": (PrefixMessage, self._prefix),
        }

    @property
    def paths(self) -> tuple[str, ...]:
        """The addresses that calls are sent to."""
        return tuple(self._kinds)

    def read(self, path: str, content: bytes) -> Call:
        """The call that a message makes.

        Raises:
            MessageError: the message is not as the protocol says.
            BackendSettingError: it is over a limit.
            MismatchError: it is for another model.
            UnsupportedPromptError, QueryError: as the backend says.
        """
        kind, make = self._kinds[path]
        values, tensors = unpacked(content)
        message: Any = read(kind, values)
        if message.model != self._backend.model_hash:
            raise MismatchError(
                f"the model server has model {self._backend.name!r} with hash {self._backend.model_hash[:12]}, the "
                f"call is for one with hash {message.model[:12]}"
            )
        if not isinstance(message, ScoreMessage):
            if tensors:
                raise MessageError(f"no tensors belong to {path}, got {len(tensors)}")
            return make(message)
        self._check_counts(message)
        arrays = self._arrays.same(checked_vectors(tensors), first_layers(message.prompts))
        return make(message, prompts_of(message.prompts, arrays))

    def _score(self, message: ScoreMessage, prompts: list[Prompt]) -> Call:
        queries = self._queries(message.queries)
        check_call(self._backend, prompts, queries)
        self._check_prompts(prompts)
        return ScoreCall(prompts, queries)

    def _generate(self, message: GenerateMessage, prompts: list[Prompt]) -> Call:
        require(self._backend, Capability.GENERATE)
        check_prompts(self._backend, prompts)
        self._check_prompts(prompts)
        queries, writing = self._queries(message.queries), self._writing(message)
        return OtherCall(lambda backend: answers.packed_generations(backend.generate(prompts, queries, writing)))

    def _tokens(self, message: TokensMessage) -> Call:
        return OtherCall(lambda backend: answers.packed_tokens(backend.encode(message.text)))

    def _text(self, message: TextMessage) -> Call:
        tokens = self._known(message.tokens)
        return OtherCall(lambda backend: answers.packed_text(backend.decode(tokens)))

    def _spreads(self, message: SpreadsMessage) -> Call:
        tokens, queries = self._measured(message)
        return OtherCall(lambda backend: answers.packed_arrays({"stds": backend.hidden_stds(tokens, queries)}))

    def _states(self, message: StatesMessage) -> Call:
        check_layers(self._backend, [message.layer])
        tokens, queries = self._measured(message)

        def do(backend: ServableBackend) -> bytes:
            return answers.packed_arrays(
                {"states": backend.hidden_states(tokens, queries, [message.layer])[message.layer]}
            )

        return OtherCall(do)

    def _measured(self, message: SpreadsMessage) -> tuple[tuple[int, ...], tuple[Query, ...]]:
        tokens, queries = self._known(message.tokens), self._queries(message.queries)
        if not queries:
            raise QueryError("hidden states are measured on queries, got none")
        return tokens, queries

    def _prefix(self, message: PrefixMessage) -> Call:
        require(self._backend, Capability.PREFIX)
        tokens = self._known(message.tokens)
        if not tokens:
            raise BackendSettingError("a prefix is of at least one token, got none")

        def do(backend: ServableBackend) -> bytes:
            arrays = backend.prefix_of(tokens).keys_values
            return answers.packed_arrays({str(layer): array for layer, array in arrays.items()})

        return OtherCall(do)

    def _check_counts(self, message: ScoreMessage) -> None:
        _within("prompts", len(message.prompts), self._limits.prompts)

    def _check_prompts(self, prompts: Sequence[Prompt]) -> None:
        for prompt in prompts:
            if isinstance(prompt, TextPrompt):
                continue
            self._known(prompt.token_ids)
            if isinstance(prompt, PrefixPrompt):
                _within("positions of a prefix", prompt.n_positions, self._limits.prompt_tokens)
            if isinstance(prompt, DecomposedPrompt):
                _within("vectors of a decomposed prompt", len(prompt.vectors), self._limits.prompt_tokens)
            check_fit(self._backend, prompt)

    def _known(self, tokens: Sequence[int]) -> tuple[int, ...]:
        """Tokens of the model's vocabulary."""
        _within("tokens of a prompt", len(tokens), self._limits.prompt_tokens)
        size = self._backend.shape.vocabulary_size
        if (wrong := next((token for token in tokens if token >= size), None)) is not None:
            raise BackendSettingError(f"the model knows the tokens 0 to {size - 1}, got {wrong}")
        return tuple(tokens)

    def _queries(self, parts: Sequence[QueryPart]) -> tuple[Query, ...]:
        _within("rows", len(parts), self._limits.rows)
        _within("options of a row", max((len(part.options) for part in parts), default=0), self._limits.options)
        return tuple(part.query for part in parts)

    def _writing(self, message: GenerateMessage) -> Writing:
        _within("tokens written", message.writing.max_tokens, self._limits.written_tokens)
        return message.writing.writing


def _within(what: str, count: int, most: int) -> None:
    if count > most:
        raise BackendSettingError(f"a call may have {most} {what} here, got {count}")
