"""The dialect of OpenAI's API and of all that speak alike: vLLM, llama.cpp's server, Ollama and others.

https://platform.openai.com/docs/api-reference/chat and .../completions; structured outputs as vLLM takes them
(https://docs.vllm.ai/en/latest/features/structured_outputs.html), grammars as llama.cpp does (its GBNF).
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import Field, FiniteFloat, NonNegativeInt

from blackbox.backends.api.answer import Answer, Call
from blackbox.backends.api.dialect import Choice, Features, Wanted
from blackbox.backends.api.replies import Shape, shaped, shaped_or_none
from blackbox.backends.base import Query, Usage
from blackbox.backends.errors import GarbageError
from blackbox.backends.prompts import TextPrompt
from blackbox.backends.rendering import conversation, one_text

MOST_TOPS = {"/chat/completions": 20, "/completions": 5}
_MOST_STOPS = 4
_BROKEN_OFF = {"error", "abort"}
"""Why an answer ends that the endpoint breaks off: OpenRouter's word, and vLLM's and SGLang's."""

_SHOWN = -1000.0  # nats; -9999.0 stands for a token that is not among the most probable


class OpenAI:
    """See the module.

    Args:
        model: as the endpoint names it.
        paths: what to try, the first first.
    """

    droppable = frozenset({"temperature", "seed", "logprobs", "top_logprobs"})
    constraints: Sequence[Choice] = ("structured_outputs", "grammar")
    stop = "stop"

    def __init__(self, model: str, paths: Sequence[str] = ("/chat/completions", "/completions")) -> None:
        self._model, self._paths = model, tuple(paths)

    @property
    def starts(self) -> Sequence[Features]:
        return [Features(path, tops=MOST_TOPS[path]) for path in self._paths]

    def call(self, prompt: TextPrompt, query: Query, *, features: Features, wanted: Wanted, repeat: int = 0) -> Call:
        """See `Dialect.call`."""
        chat = features.path == "/chat/completions"
        if chat:
            said = conversation(prompt, query)
            n_bytes, n_turns = said.n_bytes, len(said.turns) + 1
            turns = [("system", said.system)] if said.system else []
            asked: dict[str, Any] = {
                "messages": [{"role": who, "content": what} for who, what in (*turns, *said.turns)]
            }
        else:
            text = one_text(prompt, query)
            n_bytes, n_turns, asked = len(text.encode()), 1, {"prompt": text}
        settings: dict[str, Any] = {
            features.limit: wanted.max_tokens,
            "temperature": wanted.temperature,
            "seed": wanted.seed,
        }
        if wanted.stop:
            settings[self.stop] = list(wanted.stop[:_MOST_STOPS])
        if wanted.tops:
            settings |= {"logprobs": True, "top_logprobs": wanted.tops} if chat else {"logprobs": wanted.tops}
        if wanted.choices and features.choice:
            settings |= _constrained(features.choice, wanted.choices)
        kept = {name: value for name, value in settings.items() if name not in features.refused}
        most = Usage(1, n_bytes + n_turns * features.overhead, wanted.max_tokens)
        return Call(features.path, {"model": self._model, **asked, **kept}, most, repeat)

    def read(self, call: Call, reply: object, headers: Mapping[str, str]) -> Answer:
        """See `Dialect.read`."""
        read = shaped(_Reply, reply)
        choice = read.choices[0]
        text, finish = choice.said
        tops = choice.logprobs.tops if choice.logprobs else ()
        return Answer(text, finish, tops, _usage_of(read.usage) or call.most, read.system_fingerprint)


def _usage_of(values: object) -> Usage | None:
    """What a reply says that it cost; None where it does not say, or not in numbers."""
    used = shaped_or_none(_Used, values)
    if used is None:
        return None
    cached = used.prompt_tokens_details.cached_tokens if used.prompt_tokens_details else None
    return Usage(1, used.prompt_tokens, used.completion_tokens, cached or 0)


def _constrained(choice: Choice, options: Sequence[str]) -> dict[str, Any]:
    if choice == "structured_outputs":
        return {"structured_outputs": {"choice": list(options)}}
    return {"grammar": "root ::= " + " | ".join(json.dumps(option, ensure_ascii=False) for option in options)}


class _Top(Shape):
    token: str
    logprob: FiniteFloat


class _Token(_Top):
    top_logprobs: list[_Top] | None = None


class _Logprobs(Shape):
    """Either shape: `content` of chat, which llama.cpp has for completions too, or the lists of completions."""

    content: list[_Token] | None = None
    top_logprobs: list[dict[str, FiniteFloat] | None] | None = None

    @property
    def tops(self) -> tuple[Mapping[str, float], ...]:
        if self.content is not None:
            return tuple(_merged(token.top_logprobs or [token]) for token in self.content)
        lists = (
            [_Top(token=token, logprob=nats) for token, nats in (top or {}).items()] for top in self.top_logprobs or ()
        )
        return tuple(_merged(top) for top in lists)


class _Message(Shape):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[Any] | None = None


class _Choice(Shape):
    message: _Message | None = None
    text: str | None = None
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None

    @property
    def said(self) -> tuple[str, str]:
        """The text, and why it ends."""
        finish = self.finish_reason or "stop"
        if finish in _BROKEN_OFF:
            raise GarbageError(f"the reply is no answer: the endpoint broke it off ({finish})")
        if self.message is None:
            if self.text is None:
                raise GarbageError("the reply is no answer: its choice has neither a message nor a text")
            return self.text, finish
        if self.message.refusal:
            return self.message.content or "", "content_filter"
        if self.message.tool_calls:
            return self.message.content or "", "tool_calls"
        if self.message.content is None and finish not in ("length", "content_filter"):
            raise GarbageError("the reply is no answer: its message has no content")
        return self.message.content or "", finish


class _Details(Shape):
    cached_tokens: NonNegativeInt | None = None


class _Used(Shape):
    prompt_tokens: NonNegativeInt
    completion_tokens: NonNegativeInt = 0
    prompt_tokens_details: _Details | None = None


class _Reply(Shape):
    choices: Annotated[list[_Choice], Field(min_length=1)]
    usage: Any = None
    system_fingerprint: str | None = None


def _merged(tops: Sequence[_Top]) -> dict[str, float]:
    """Token -> log-probability; tokens that are spelled alike add up, those that are not shown are left out."""
    merged: dict[str, float] = {}
    for top in tops:
        if top.logprob > _SHOWN:
            merged[top.token] = float(np.logaddexp(merged.get(top.token, -math.inf), top.logprob))
    return merged
