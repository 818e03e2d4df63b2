"""Bodies and replies as https://platform.openai.com/docs/api-reference/{chat,completions} has them."""

import json
from dataclasses import replace
from math import exp, log
from typing import Any

import pytest

from blackbox.backends.api.answer import Answer, Call
from blackbox.backends.api.dialect import Features, Wanted
from blackbox.backends.api.openai import OpenAI
from blackbox.backends.base import Query, Usage
from blackbox.backends.errors import GarbageError
from blackbox.backends.prompts import Demonstration, TextPrompt

ROW = Query("A dull film. It was ", ("bad", "great"))
PROMPT = TextPrompt("Judge. ")
CHAT, COMPLETIONS = OpenAI("some").starts
PLAIN = replace(CHAT, tops=0)
ONE = Wanted(1)


def asked(features: Features = PLAIN, wanted: Wanted = ONE, *, prompt: TextPrompt = PROMPT, repeat: int = 0) -> Call:
    return OpenAI("some").call(prompt, ROW, features=features, wanted=wanted, repeat=repeat)


def read(reply: object, features: Features = PLAIN) -> Answer:
    """The answer in a reply that has gone over the wire."""
    return OpenAI("some").read(asked(features), json.loads(json.dumps(reply)), {})


def chat_reply(message: dict[str, Any], finish: str | None = "stop", **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish, **more}]}


def top(token: str, nats: float, others: dict[str, float]) -> dict[str, Any]:
    """One token of `logprobs.content`."""
    shown = [{"token": name, "bytes": None, "logprob": value} for name, value in others.items()]
    return {"token": token, "bytes": None, "logprob": nats, "top_logprobs": shown}


class TestTheBody:
    def test_of_a_chat_has_messages_and_is_as_repeatable_as_the_endpoint_makes_it(self) -> None:
        call = asked()
        assert call.path == "/chat/completions"
        assert call.body == {
            "model": "some",
            "messages": [{"role": "user", "content": "Judge. A dull film. It was"}],
            "max_tokens": 1,
            "temperature": 0,
            "seed": 0,
        }

    def test_of_a_chat_asks_for_log_probabilities_with_two_parameters(self) -> None:
        body = asked(CHAT, Wanted(1, tops=20)).body
        assert (body["logprobs"], body["top_logprobs"]) == (True, 20)

    def test_of_completions_has_one_prompt_and_asks_for_log_probabilities_with_a_number(self) -> None:
        call = asked(COMPLETIONS, Wanted(1, tops=5))
        assert call.path == "/completions"
        assert call.body == {
            "model": "some",
            "prompt": "Judge. A dull film. It was",
            "max_tokens": 1,
            "temperature": 0,
            "seed": 0,
            "logprobs": 5,
        }

    def test_never_asks_for_more_than_the_api_tells(self) -> None:
        assert (CHAT.tops, COMPLETIONS.tops) == (20, 5)

    def test_puts_the_system_first_and_demonstrations_between(self) -> None:
        prompt = TextPrompt("Judge.", (Demonstration("Fine. It was ", "great"),), role="system")
        assert asked(prompt=prompt).body["messages"] == [
            {"role": "system", "content": "Judge."},
            {"role": "user", "content": "Fine. It was"},
            {"role": "assistant", "content": "great"},
            {"role": "user", "content": "A dull film. It was"},
        ]

    def test_has_no_empty_system(self) -> None:
        messages: Any = asked(prompt=TextPrompt("", role="system")).body["messages"]
        assert [message["role"] for message in messages] == ["user"]

    def test_leaves_out_what_the_endpoint_refuses_and_bounds_the_answer_as_it_will(self) -> None:
        features = replace(PLAIN, limit="max_completion_tokens").without("temperature").without("seed")
        assert set(asked(features, Wanted(16)).body) == {"model", "messages", "max_completion_tokens"}

    def test_constrains_the_answer_as_vllm_takes_it(self) -> None:
        body = asked(replace(PLAIN, choice="structured_outputs"), Wanted(64, choices=("bad", "great"))).body
        assert body["structured_outputs"] == {"choice": ["bad", "great"]}
        assert "grammar" not in body

    def test_constrains_the_answer_as_llama_cpp_takes_it(self) -> None:
        body = asked(replace(PLAIN, choice="grammar"), Wanted(64, choices=("bad", 'so "so"', "très\n"))).body
        assert body["grammar"] == r'root ::= "bad" | "so \"so\"" | "très\n"'
        assert "structured_outputs" not in body

    @pytest.mark.parametrize(
        ("features", "wanted"), [(PLAIN, Wanted(1, choices=("a", "b"))), (replace(PLAIN, choice="grammar"), Wanted(1))]
    )
    def test_constrains_nothing_that_the_endpoint_cannot_do_or_nobody_wants(
        self, features: Features, wanted: Wanted
    ) -> None:
        assert set(asked(features, wanted).body) == {"model", "messages", "max_tokens", "temperature", "seed"}

    def test_goes_with_a_bound_of_a_token_a_byte_and_the_overhead_of_each_turn(self) -> None:
        prompt = TextPrompt("Judge é. ", (Demonstration("Fine. It was ", "great"),), role="system")
        n_bytes = len("Judge é.Fine. It wasgreatA dull film. It was".encode())
        most = asked(replace(PLAIN, overhead=10), Wanted(7), prompt=prompt).most
        assert most == Usage(1, n_bytes + 4 * 10, 7)
        assert asked(replace(COMPLETIONS, overhead=10), Wanted(7)).most == Usage(1, 26 + 10, 7)

    def test_is_the_same_for_a_repeat_which_the_call_tells_apart(self) -> None:
        first, again = asked(), asked(repeat=1)
        assert first.body == again.body
        assert (first.repeat, again.repeat) == (0, 1)


class TestLogProbabilities:
    def test_of_a_chat_are_those_of_each_token_written(self) -> None:
        content = [top("great", -0.1, {"great": -0.1, "bad": -2.5}), top(".", -0.2, {".": -0.2})]
        answer = read(chat_reply({"content": "great."}, logprobs={"content": content, "refusal": None}))
        assert answer.tops == ({"great": -0.1, "bad": -2.5}, {".": -0.2})

    def test_of_completions_are_lists_beside_each_other(self) -> None:
        logprobs = {
            "tokens": [" great", "."],
            "token_logprobs": [-0.1, -0.2],
            "top_logprobs": [{" great": -0.1, " bad": -2.5}, {".": -0.2}],
            "text_offset": [0, 6],
        }
        reply = {"choices": [{"text": " great.", "index": 0, "logprobs": logprobs, "finish_reason": "length"}]}
        answer = read(reply, COMPLETIONS)
        assert (answer.text, answer.finish) == (" great.", "length")
        assert answer.tops == ({" great": -0.1, " bad": -2.5}, {".": -0.2})

    def test_of_llama_cpps_completions_have_the_form_of_a_chat(self) -> None:
        logprobs = {"content": [{"id": 253, **top(" a", -1.4, {" a": -1.4, " like": -3.2})}]}
        reply = {"choices": [{"text": " a", "index": 0, "logprobs": logprobs, "finish_reason": "length"}]}
        assert read(reply, COMPLETIONS).tops == ({" a": -1.4, " like": -3.2},)

    def test_that_stand_for_what_is_not_shown_are_left_out(self) -> None:
        content = [top("great", -0.1, {"great": -0.1, "bad": -9999.0})]
        assert read(chat_reply({"content": "great"}, logprobs={"content": content})).tops == ({"great": -0.1},)

    def test_of_tokens_that_are_spelled_alike_add_up(self) -> None:
        """Two tokens of single bytes are both shown as the replacement character."""
        content = [top("\ufffd", log(0.5), {})]
        content[0]["top_logprobs"] = [{"token": "\ufffd", "logprob": log(p)} for p in (0.5, 0.2)]
        [shown] = read(chat_reply({"content": "x"}, logprobs={"content": content})).tops
        assert exp(shown["\ufffd"]) == pytest.approx(0.7)

    def test_without_others_are_that_of_the_token_written(self) -> None:
        content = [{"token": "great", "logprob": -0.1, "top_logprobs": []}, {"token": ".", "logprob": -0.2}]
        answer = read(chat_reply({"content": "great."}, logprobs={"content": content}))
        assert answer.tops == ({"great": -0.1}, {".": -0.2})

    @pytest.mark.parametrize(
        "logprobs", [None, {}, {"content": None}, {"content": []}, {"top_logprobs": None, "tokens": ["a"]}]
    )
    def test_may_not_be_there(self, logprobs: object) -> None:
        assert read(chat_reply({"content": "great"}, logprobs=logprobs)).tops == ()

    def test_of_a_first_token_without_any_keep_the_place_of_the_others(self) -> None:
        logprobs = {"top_logprobs": [None, {"b": -0.2}]}
        assert read({"choices": [{"text": "ab", "logprobs": logprobs}]}).tops == ({}, {"b": -0.2})

    def test_in_words_are_garbage(self) -> None:
        with pytest.raises(GarbageError, match=r"choices\.0\.logprobs\.content\.0\.logprob"):
            read(chat_reply({"content": "x"}, logprobs={"content": [{"token": "x", "logprob": "high"}]}))


class TestUsage:
    def test_has_cached_tokens_among_those_of_the_prompt_and_reasoning_among_those_written(self) -> None:
        usage = {
            "prompt_tokens": 1500,
            "completion_tokens": 300,
            "total_tokens": 1800,
            "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 256},
        }
        assert read({**chat_reply({"content": "great"}), "usage": usage}).usage == Usage(1, 1500, 300, 1024)

    @pytest.mark.parametrize("details", [{}, {"prompt_tokens_details": None}, {"prompt_tokens_details": {}}])
    def test_without_details_has_nothing_cached(self, details: dict[str, Any]) -> None:
        usage = {"prompt_tokens": 20, "completion_tokens": 1, **details}
        assert read({**chat_reply({"content": "great"}), "usage": usage}).usage == Usage(1, 20, 1)

    @pytest.mark.parametrize(
        "usage", [None, {}, {"prompt_tokens": -3}, {"prompt_tokens": "many"}, {"prompt_tokens": 2.5}, ["many"]]
    )
    def test_that_is_none_is_the_upper_bound_and_the_answer_is_kept(self, usage: object) -> None:
        answer = read({**chat_reply({"content": "great"}), "usage": usage})
        assert (answer.text, answer.usage) == ("great", asked().most)


class TestTheAnswer:
    @pytest.mark.parametrize("finish", ["stop", "length", "content_filter"])
    def test_ends_for_the_reason_that_is_told(self, finish: str) -> None:
        answer = read(chat_reply({"content": " great\n"}, finish))
        assert (answer.text, answer.finish) == (" great\n", finish)

    def test_ends_by_itself_where_no_reason_is_told(self) -> None:
        assert read(chat_reply({"content": "great"}, None)).finish == "stop"

    def test_has_the_word_for_the_configuration_that_gave_it(self) -> None:
        assert read({**chat_reply({"content": "great"}), "system_fingerprint": "fp_1"}).fingerprint == "fp_1"

    def test_that_the_model_refuses_is_filtered_whatever_the_reason_says(self) -> None:
        answer = read(chat_reply({"content": None, "refusal": "I cannot help with that."}))
        assert (answer.text, answer.finish) == ("", "content_filter")

    def test_with_a_tool_is_no_text(self) -> None:
        called = [{"id": "1", "type": "function", "function": {"name": "judge", "arguments": "{}"}}]
        answer = read(chat_reply({"content": None, "tool_calls": called}, "tool_calls"))
        assert (answer.text, answer.finish) == ("", "tool_calls")

    def test_with_an_empty_list_of_tools_is_a_text(self) -> None:
        assert read(chat_reply({"content": "great", "tool_calls": []})).text == "great"

    @pytest.mark.parametrize("finish", ["length", "content_filter"])
    def test_without_content_is_empty_where_the_reason_says_why(self, finish: str) -> None:
        """A reasoning model may think until it is cut off."""
        answer = read(chat_reply({"content": None, "reasoning_content": "Well,"}, finish))
        assert (answer.text, answer.finish) == ("", finish)

    @pytest.mark.parametrize(
        ("reply", "said"),
        [
            (chat_reply({"content": None}), "its message has no content"),
            (chat_reply({}), "its message has no content"),
            (chat_reply({"content": 7}), r"choices\.0\.message\.content"),
            (chat_reply({"content": [{"type": "text", "text": "great"}]}), r"choices\.0\.message\.content"),
            (chat_reply({"content": "gr"}, "error"), r"broke it off \(error\)"),
            ({"choices": [{"text": "", "finish_reason": "abort"}]}, r"broke it off \(abort\)"),
            ({"choices": [{"finish_reason": "stop"}]}, "neither a message nor a text"),
            ({"choices": []}, "choices"),
            ({"choices": None}, "choices"),
            ({"message": {"content": "great"}}, "choices"),
            (["great"], "no answer"),
            (None, "no answer"),
        ],
    )
    def test_that_is_none_is_garbage_with_the_place(self, reply: object, said: str) -> None:
        with pytest.raises(GarbageError, match=said):
            read(reply)
