"""A stand-in for vLLM's server: it checks what vLLM's own code checks and computes with a model of transformers.

vLLM cannot be installed everywhere these tests run. What is checked, and with which words it is refused, follows
vllm/entrypoints/openai/completion (protocol.py, serving.py), vllm/renderers/embed_utils.py and vllm/sampling_params.py
as of 2026: embeddings are base64 of a dense floating-point tensor by torch.save that is loaded with `weights_only`, of
two dimensions and the model's hidden size; no `echo` and no `prompt_logprobs` beside them; `logprob_token_ids` are 1 to
128 and `logprobs` is their number; the answer has these tokens and the one that was written.
"""

import base64
import binascii
import io
import json
import pickle
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import torch


class RefusedError(Exception):
    """A request that vLLM would refuse."""

    def __init__(self, message: str, param: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.param, self.status = param, status


@dataclass
class StandIn:
    """See the module.

    Attributes:
        model: of transformers.
        tokenizer: its tokenizer.
        enabled: whether the server was started with --enable-prompt-embeds.
        tells: whether it knows `logprob_token_ids`; an older one passes over what it does not know.
        asked: bodies of all requests.
        dtypes: of the embeddings that came.
        failing: so many further requests are answered 500.
    """

    model: Any
    tokenizer: Any
    name: str = "some-model"
    enabled: bool = True
    tells: bool = True
    asked: list[dict[str, Any]] = field(default_factory=list)
    dtypes: set[torch.dtype] = field(default_factory=set)
    failing: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """The reply to POST /v1/completions."""
        with self.lock:
            self.asked.append(body)
            return self._answered(body)

    def _answered(self, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("model") != self.name:
            raise RefusedError(f"The model `{body.get('model')}` does not exist.", "model", 404)
        embeds, tokens = body.get("prompt_embeds"), body.get("prompt")
        if not embeds and not tokens:
            raise RefusedError("Either prompt or prompt_embeds must be provided and non-empty.", "prompt")
        if embeds and body.get("echo"):
            raise RefusedError("Echo is unsupported with prompt embeds.")
        if embeds and body.get("prompt_logprobs") is not None:
            raise RefusedError("prompt_logprobs is not compatible with prompt embeds.")
        given = self._loaded(embeds) if embeds else self._looked_up(tokens)
        with torch.inference_mode():
            logits = self.model(inputs_embeds=given[None].to(self.model.dtype)).logits[0, -1].float()
        likely = torch.log_softmax(logits, dim=-1)
        written = int(likely.argmax())
        tops = {self._named(body, token): float(likely[token]) for token in [written, *self._wanted(body, likely)]}
        return {
            "id": "cmpl-1",
            "object": "text_completion",
            "model": self.name,
            "choices": [
                {
                    "index": 0,
                    "text": self.tokenizer.decode([written]),
                    "finish_reason": "length",
                    "logprobs": {"tokens": [self._named(body, written)], "top_logprobs": [tops]},
                }
            ],
            "usage": {"prompt_tokens": len(given), "completion_tokens": 1, "total_tokens": len(given) + 1},
        }

    def _loaded(self, embeds: Any) -> torch.Tensor:
        if not self.enabled:
            raise RefusedError("You must set `--enable-prompt-embeds` to input `prompt_embeds`.", "prompt_embeds")
        try:
            content = base64.b64decode(embeds, validate=True)
            tensor = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
        except (binascii.Error, TypeError, RuntimeError, pickle.UnpicklingError) as error:
            raise RefusedError(str(error), "prompt_embeds") from error
        if not isinstance(tensor, torch.Tensor):
            raise RefusedError("`prompt_embeds` payload did not deserialize to a torch.Tensor.", "prompt_embeds")
        tensor = tensor.to_dense()
        size = self.model.config.hidden_size
        if tensor.dim() != 2 or tensor.shape[1] != size:
            raise RefusedError(f"`prompt_embeds` must be (num_tokens, {size}); got {tuple(tensor.shape)}")
        if not tensor.is_floating_point():
            raise RefusedError(f"`prompt_embeds` dtype {tensor.dtype} is not a floating-point type")
        self.dtypes.add(tensor.dtype)
        return tensor

    def _looked_up(self, tokens: Any) -> torch.Tensor:
        if not (isinstance(tokens, list) and all(type(token) is int and token >= 0 for token in tokens)):
            raise RefusedError("the stand-in takes a prompt of tokens only", "prompt")
        found: torch.Tensor = self.model.get_input_embeddings()(torch.tensor(tokens))
        return found

    def _wanted(self, body: dict[str, Any], likely: torch.Tensor) -> list[int]:
        tokens, count = body.get("logprob_token_ids"), body.get("logprobs")
        if tokens is None or not self.tells:
            return [int(token) for token in likely.topk(count).indices] if count else []
        if not isinstance(tokens, list) or not tokens:
            raise RefusedError("`logprob_token_ids` must not be an empty list.", "logprob_token_ids")
        if count is None:
            raise RefusedError("when using `logprob_token_ids`, `logprobs` must be set.", "logprob_token_ids")
        if len(tokens) > 128 or count != len(tokens):
            raise RefusedError(f"logprob_token_ids: {len(tokens)} with logprobs {count}", "logprob_token_ids")
        if not all(0 <= token < len(likely) for token in tokens):
            raise RefusedError("logprob_token_ids must be of the vocabulary", "logprob_token_ids")
        return tokens

    def _named(self, body: dict[str, Any], token: int) -> str:
        as_id = body.get("return_tokens_as_token_ids")
        return f"token_id:{token}" if as_id else str(self.tokenizer.decode([token]))


@contextmanager
def serving(stand_in: StandIn) -> Iterator[str]:
    """The base URL of a server that answers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                if self.path != "/v1/completions":
                    raise RefusedError("Not Found", status=404)
                if stand_in.failing > 0:
                    stand_in.failing -= 1
                    raise RefusedError("engine dead", status=500)
                status, reply = 200, stand_in.answer(body)
            except RefusedError as error:
                said = {"message": str(error), "type": "BadRequestError", "param": error.param, "code": error.status}
                status, reply = error.status, {"error": said}
            content = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()
