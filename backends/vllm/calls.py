"""What vLLM's completions take and answer where the prompt is a sequence of embeddings.

POST /v1/completions with `prompt_embeds` (https://docs.vllm.ai/en/stable/features/prompt_embeds/), on a server that was
started with `--enable-prompt-embeds`: base64 of what `torch.save` writes of a tensor of shape (n_tokens, hidden_size)
in a floating-point type. With `logprob_token_ids` (at most 128, and `logprobs` their number) the answer tells the
log-probability, over the whole vocabulary, that each of these tokens comes next. Neither `echo` nor `prompt_logprobs`
goes with embeddings, so an option of several tokens takes a call for each of them.
"""

import base64
import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from blackbox.backends.api.answer import Answer, Call
from blackbox.backends.base import Usage

MOST_ASKED = 128
"""Tokens that one call can ask for (vLLM's MAX_LOGPROB_TOKEN_IDS)."""

_NAMED = "token_id:"


def embeds_call(model: str, embeddings: npt.NDArray[np.float32], asked: Sequence[int], *, dtype: torch.dtype) -> Call:
    """The call that asks how probable tokens are behind a sequence of embeddings.

    Args:
        model: as the server names it.
        embeddings: shape (n_tokens, hidden_size).
        asked: tokens, at most `MOST_ASKED`.
        dtype: that the embeddings are sent in.
    """
    return _call(model, {"prompt_embeds": encoded(embeddings, dtype)}, asked, length=len(embeddings))


def embeds_body(model: str, embeddings: npt.NDArray[np.float32]) -> dict[str, object]:
    """The body that has the most probable token written behind a sequence of embeddings."""
    return _body(model, {"prompt_embeds": encoded(embeddings, torch.float32)})


def tokens_call(model: str, tokens: Sequence[int], asked: Sequence[int]) -> Call:
    """The same behind tokens, whose embeddings the server looks up."""
    return _call(model, {"prompt": list(tokens)}, asked, length=len(tokens))


def encoded(embeddings: npt.NDArray[np.float32], dtype: torch.dtype) -> str:
    """A tensor as `prompt_embeds` wants it: torch.save, base64."""
    file = io.BytesIO()
    torch.save(torch.tensor(embeddings, dtype=dtype), file)
    return base64.b64encode(file.getvalue()).decode("ascii")


def told(answer: Answer, asked: Sequence[int]) -> list[float | None]:
    """The log-probability of each token that was asked for, nats; None where the answer does not tell it."""
    first = answer.tops[0] if answer.tops else {}
    return [first.get(f"{_NAMED}{token}") for token in asked]


def _call(model: str, prompt: dict[str, object], asked: Sequence[int], *, length: int) -> Call:
    body = {
        **_body(model, prompt),
        "logprobs": len(asked),
        "logprob_token_ids": list(asked),
        "return_tokens_as_token_ids": True,
    }
    return Call("/completions", body, Usage(1, length, 1))


def _body(model: str, prompt: dict[str, object]) -> dict[str, object]:
    return {"model": model, **prompt, "max_tokens": 1, "temperature": 0.0}
