"""Bodies and replies as https://platform.claude.com/docs/en/api/messages has them."""

import json
from typing import Any

import pytest

from blackbox.backends.api.answer import Answer, Call
from blackbox.backends.api.anthropic import Anthropic
from blackbox.backends.api.dialect import Features, Wanted
from blackbox.backends.base import Query, Usage
from blackbox.backends.errors import GarbageError
from blackbox.backends.prompts import Demonstration, TextPrompt

ROW = Query("A dull film. It was ", ("bad", "great"))
PROMPT = TextPrompt("Judge. ")
[FEATURES] = Anthropic.starts
SHOWN = (Demonstration("Fine. It was ", "great"),)


def asked(prompt: TextPrompt = PROMPT, features: Features = FEATURES) -> Call:
    return Anthropic("claude").call(prompt, ROW, features=features, wanted=Wanted(16, tops=5, choices=ROW.options))


def read(*blocks: dict[str, Any], stop_reason: str | None = "end_turn", **more: Any) -> Answer:
    """The answer in a reply that has gone over the wire."""
    reply = {"type": "message", "role": "assistant", "content": blocks, "stop_reason": stop_reason, **more}
    return Anthropic("claude").read(asked(), json.loads(json.dumps(reply)), {})


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said, "citations": None}


class TestTheBody:
    def test_has_the_bound_that_the_api_needs_and_nothing_that_it_does_not_know(self) -> None:
        """No seed, no log-probabilities, no constraint, and no cache that would be written at a price of its own."""
        call = asked()
        assert call.path == "/messages"
        assert call.body == {
            "model": "claude",
            "messages": [{"role": "user", "content": "Judge. A dull film. It was"}],
            "max_tokens": 16,
            "temperature": 0,
        }

    def test_has_the_system_at_its_top_and_not_among_the_messages(self) -> None:
        body = asked(TextPrompt("Judge. ", SHOWN, role="system")).body
        assert body["system"] == "Judge."
        assert body["messages"] == [
            {"role": "user", "content": "Fine. It was"},
            {"role": "assistant", "content": "great"},
            {"role": "user", "content": "A dull film. It was"},
        ]

    def test_has_no_empty_system(self) -> None:
        assert "system" not in asked(TextPrompt("", role="system")).body

    def test_leaves_out_a_temperature_that_is_refused(self) -> None:
        assert "temperature" not in asked(features=FEATURES.without("temperature")).body

    def test_goes_with_a_bound_of_a_token_a_byte_and_the_overhead_of_each_turn(self) -> None:
        n_bytes = len("Judge.Fine. It wasgreatA dull film. It was")
        assert asked(TextPrompt("Judge. ", SHOWN, role="system")).most == Usage(1, n_bytes + 4 * FEATURES.overhead, 16)


class TestTheAnswer:
    @pytest.mark.parametrize(
        ("told", "finish"),
        [
            ("end_turn", "stop"),
            ("stop_sequence", "stop"),
            ("max_tokens", "length"),
            ("model_context_window_exceeded", "length"),
            ("tool_use", "tool_calls"),
            ("refusal", "content_filter"),
            ("pause_turn", "pause_turn"),
            (None, "stop"),
        ],
    )
    def test_ends_for_a_reason_in_the_words_of_all_dialects(self, told: str | None, finish: str) -> None:
        answer = read(text("great"), stop_reason=told)
        assert (answer.text, answer.finish, answer.tops) == ("great", finish, ())

    def test_is_the_text_of_all_blocks_without_the_thoughts(self) -> None:
        thought = {"type": "thinking", "thinking": "bad, I think", "signature": "x"}
        assert read(thought, text("gr"), {"type": "other", "text": "bad"}, text("eat")).text == "great"

    @pytest.mark.parametrize(("told", "finish"), [("end_turn", "stop"), ("max_tokens", "length")])
    def test_may_be_empty(self, told: str, finish: str) -> None:
        """The model says nothing, and would again: .../docs/en/build-with-claude/handling-stop-reasons there."""
        answer = read(stop_reason=told, usage={"input_tokens": 20, "output_tokens": 2})
        assert (answer.text, answer.finish, answer.usage) == ("", finish, Usage(1, 20, 2))

    @pytest.mark.parametrize(
        "reply",
        [None, {}, {"content": None}, {"content": "great"}, {"content": [{"text": "great"}]}, {"content": ["great"]}],
    )
    def test_of_another_shape_is_garbage(self, reply: object) -> None:
        with pytest.raises(GarbageError, match="the reply is no answer"):
            Anthropic("claude").read(asked(), reply, {})


class TestUsage:
    def test_counts_what_was_read_from_the_cache_and_written_to_it_as_prompt(self) -> None:
        """`input_tokens` are those behind the last cached one."""
        usage = {
            "input_tokens": 50,
            "cache_read_input_tokens": 1000,
            "cache_creation_input_tokens": 200,
            "output_tokens": 3,
        }
        assert read(text("great"), usage=usage).usage == Usage(1, 1250, 3, 1000)

    def test_without_a_cache_is_two_numbers(self) -> None:
        usage = {"input_tokens": 50, "cache_read_input_tokens": None, "output_tokens": 3}
        assert read(text("great"), usage=usage).usage == Usage(1, 50, 3)

    @pytest.mark.parametrize("usage", [None, {}, {"input_tokens": 5}, {"input_tokens": -5, "output_tokens": 1}, [5, 3]])
    def test_that_is_none_is_the_upper_bound(self, usage: object) -> None:
        assert read(text("great"), usage=usage).usage == asked().most
