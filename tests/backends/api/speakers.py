"""How some endpoints answer, for `FaultyServer`: each refuses, passes over and tells what its model does."""

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.faulty import Body, RefusalError

Speaker = Callable[[Mapping[str, Any], str], Body]

COMMON = {"model", "messages", "prompt", "max_tokens", "temperature", "seed"}


class Heard:
    """A speaker that keeps what it is asked: `bodies`, in their order."""

    def __init__(self, speaker: Speaker) -> None:
        self.bodies: list[Mapping[str, Any]] = []
        self._speaker = speaker

    def __call__(self, body: Mapping[str, Any], path: str) -> Body:
        self.bodies.append(body)
        return self._speaker(body, path)


def said(text: str, *, finish: str = "stop", tops: Mapping[str, float] | None = None) -> Body:
    """A chat reply; `tops` are log-probabilities of its one token, nats."""
    choice: Body = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    if tops is not None:
        shown = [{"token": token, "logprob": nats, "bytes": None} for token, nats in tops.items()]
        choice["logprobs"] = {"content": [{**shown[0], "top_logprobs": shown}]}
    return {"choices": [choice], "usage": {"prompt_tokens": 21, "completion_tokens": 1}}


def passes_over(body: Mapping[str, Any], path: str) -> Body:
    """Takes every parameter without a word and knows only the most common."""
    return said("Positive.")


def tells(body: Mapping[str, Any], path: str) -> Body:
    """Tells as many log-probabilities as it is asked for, up to four."""
    nats = {"positive": -0.3, "negative": -1.6, "Positive": -3.5, "The": -5.0}
    asked = body.get("top_logprobs", 0) if body.get("logprobs") else 0
    return said("positive", tops=dict(list(nats.items())[:asked]) or None)


def vllm(body: Mapping[str, Any], path: str) -> Body:
    """vLLM that tells no log-probabilities: it keeps to `structured_outputs` and passes over what it does not know."""
    choices = body.get("structured_outputs", {}).get("choice")
    return said(choices[-1] if choices else "Positive.")


def grammatical(body: Mapping[str, Any], path: str) -> Body:
    """A server that keeps to a grammar of texts, as llama.cpp's does."""
    return said(body["grammar"].split('"')[1] if "grammar" in body else "Positive.")


def reasoning(body: Mapping[str, Any], path: str) -> Body:
    """A model of OpenAI's o-series: 300 tokens of thought, and refusals in the words of that API."""
    _refuse(
        "max_tokens" in body,
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        param="max_tokens",
        code="unsupported_parameter",
    )
    _refuse(
        body.get("temperature", 1) != 1,
        "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
        param="temperature",
        code="unsupported_value",
    )
    _refuse("logprobs" in body, "You are not allowed to request logprobs from this model", status=403)
    unknown = sorted({"grammar", "structured_outputs"} & set(body))
    _refuse(bool(unknown), f"Unrecognized request argument supplied: {unknown[0] if unknown else ''}")
    _refuse(
        body["max_completion_tokens"] < 300,
        "Could not finish the message because max_tokens or model output "
        "limit was reached. Please try again with higher max_tokens.",
    )
    return said("Positive")


def strict(*known: str) -> Speaker:
    """Knows these parameters beside the most common, keeps to a grammar, and refuses others by their place."""

    def speak(body: Mapping[str, Any], path: str) -> Body:
        unknown = sorted(set(body) - COMMON - set(known))
        if unknown:
            error = {"loc": ["body", unknown[0]], "msg": "Extra inputs are not permitted", "type": "extra_forbidden"}
            raise RefusalError(422, {"detail": [error]})
        return grammatical(body, path)

    return speak


def only_completions(body: Mapping[str, Any], path: str) -> Body:
    """A server without chat, whose log-probabilities have OpenAI's old form."""
    if path != "/completions":
        raise RefusalError(404, {"error": {"message": "Not Found", "type": "invalid_request_error"}})
    logprobs = {"tokens": [" positive"], "token_logprobs": [-0.3], "top_logprobs": [{" positive": -0.3, " a": -2.0}]}
    choice = {"text": " positive", "index": 0, "finish_reason": "length", "logprobs": logprobs}
    return {"choices": [choice], "usage": {"prompt_tokens": 17, "completion_tokens": 1}}


def messages(body: Mapping[str, Any], path: str) -> Body:
    """Anthropic's API."""
    return {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": "Positive"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 25, "output_tokens": 4},
    }


def _refuse(
    refused: bool, message: str, *, status: int = 400, param: str | None = None, code: str | None = None
) -> None:
    if refused:
        error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
        raise RefusalError(status, {"error": error})
