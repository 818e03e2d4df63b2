"""The dialect of Anthropic's messages API: no log-probabilities, no seed.

https://platform.claude.com/docs/en/api/messages. No request has a `cache_control`, without which nothing is written to
the provider's cache: its writes, dearer than a prompt's tokens, need no price here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import NonNegativeInt

from blackbox.backends.api.answer import Answer, Call
from blackbox.backends.api.dialect import Choice, Features, Wanted
from blackbox.backends.api.replies import Shape, shaped, shaped_or_none
from blackbox.backends.base import Query, Usage
from blackbox.backends.prompts import TextPrompt
from blackbox.backends.rendering import conversation

_FINISHES = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls"}
_FINISHES |= {"refusal": "content_filter", "model_context_window_exceeded": "length"}


class Anthropic:
    """See the module; `model` as the endpoint names it."""

    VERSION = "2023-06-01"
    """Of the API, for the header `anthropic-version`."""

    droppable = frozenset({"temperature"})
    constraints: Sequence[Choice] = ()
    stop = "stop_sequences"
    starts: Sequence[Features] = (Features("/messages"),)

    def __init__(self, model: str) -> None:
        self._model = model

    def call(self, prompt: TextPrompt, query: Query, *, features: Features, wanted: Wanted, repeat: int = 0) -> Call:
        """See `Dialect.call`."""
        said = conversation(prompt, query)
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": who, "content": what} for who, what in said.turns],
            features.limit: wanted.max_tokens,
        }
        if said.system:
            body["system"] = said.system
        if "temperature" not in features.refused:
            body["temperature"] = wanted.temperature
        if stop := [text for text in wanted.stop if text.strip()]:  # it refuses white space
            body[self.stop] = stop
        tokens = said.n_bytes + (len(said.turns) + 1) * features.overhead
        return Call(features.path, body, Usage(1, tokens, wanted.max_tokens), repeat)

    def read(self, call: Call, reply: object, headers: Mapping[str, str]) -> Answer:
        """See `Dialect.read`."""
        read = shaped(_Reply, reply)
        finish = _FINISHES.get(read.stop_reason or "end_turn", read.stop_reason or "")
        text = "".join(block.text or "" for block in read.content if block.type == "text")
        return Answer(text, finish, (), _usage_of(read.usage) or call.most)


class _Block(Shape):
    type: str
    text: str | None = None


class _Used(Shape):
    input_tokens: NonNegativeInt
    output_tokens: NonNegativeInt
    cache_read_input_tokens: NonNegativeInt | None = None
    cache_creation_input_tokens: NonNegativeInt | None = None


class _Reply(Shape):
    content: list[_Block]
    stop_reason: str | None = None
    usage: Any = None


def _usage_of(values: object) -> Usage | None:
    used = shaped_or_none(_Used, values)
    if used is None:
        return None
    cached = used.cache_read_input_tokens or 0
    prompt_tokens = used.input_tokens + cached + (used.cache_creation_input_tokens or 0)
    return Usage(1, prompt_tokens, used.output_tokens, cached)
