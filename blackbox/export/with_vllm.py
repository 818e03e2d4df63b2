"""Scores rows behind the prompt in this folder on a server of vLLM.

    vllm serve MODEL --enable-prompt-embeds
    python ask.py http://localhost:8000/v1 [FILES] < rows.jsonl

FILES is a folder or a name on the Hugging Face hub with the same model, by default the one that the prompt was found
for: rows become embeddings here, by its tokenizer and its word embeddings. Each row is a line of JSON with the
template's fields; the answer is a line with the log-probability, in nats, of each label's word. A key that the server
asks for is in VLLM_API_KEY. Written by blackbox; needs torch, transformers and safetensors.
"""

import base64
import io
import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer

FOLDER = Path(__file__).resolve().parent


class Served:
    """A model behind vLLM behind the prompt."""

    def __init__(self, base_url: str, files: str | None = None) -> None:
        self.url = base_url.rstrip("/") + "/completions"
        self.task: dict[str, Any] = json.loads((FOLDER / "task.json").read_text(encoding="utf-8"))
        self.body: dict[str, Any] = json.loads((FOLDER / "request.json").read_text(encoding="utf-8"))
        self.front = load_file(FOLDER / "prompt.safetensors")["embeddings"]
        place = place_of(files or self.task["model"])
        self.tokenizer: Any = AutoTokenizer.from_pretrained(**place)
        self.embed: Any = AutoModelForCausalLM.from_pretrained(**place, dtype=torch.float32).get_input_embeddings()

    def scores(self, row: dict[str, Any]) -> dict[str, float]:
        """Log-probability of each label, or of the row's target."""
        words = self.task["label_words"]
        if not words:
            target = row[self.task["target_field"]]
            return {"target": self.likelihood(row, target[0] if isinstance(target, list) else target)}
        found = torch.tensor([self.likelihood(row, word) for word in words.values()]).log_softmax(0)
        if self.task["offsets"] is not None:
            found = (found + torch.tensor(self.task["offsets"])).log_softmax(0)
        return dict(zip(words, found.tolist(), strict=True))

    def likelihood(self, row: dict[str, Any], option: str) -> float:
        """Log-probability of a text where the template has its label: a call for each of its tokens."""
        context, tokens = self.split(self.task["before"].format(**row), option)
        return sum(self.ask(context + tokens[:place], token) for place, token in enumerate(tokens))

    def ask(self, ids: list[int], token: int) -> float:
        """How probable a token is behind the prompt and a row's first tokens, nats."""
        behind = self.embed(torch.tensor(ids, dtype=torch.long)).detach()
        asked = {"logprobs": 1, "logprob_token_ids": [token], "return_tokens_as_token_ids": True}
        body = {**self.body, **asked, "prompt_embeds": encoded(torch.cat([self.front, behind]))}
        key = os.environ.get("VLLM_API_KEY")
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
        with urlopen(Request(self.url, json.dumps(body).encode(), headers)) as answer:
            (choice,) = json.load(answer)["choices"]
        return float(choice["logprobs"]["top_logprobs"][0][f"token_id:{token}"])

    def split(self, before: str, option: str) -> tuple[list[int], list[int]]:
        """The tokens in front of an option, and its own; a blank in front of it is its own."""
        text = before.rstrip()
        blank, context = before[len(text) :], self.encode(text)
        whole = self.encode(text + blank + option)
        if whole[: len(context)] != context:
            return context, self.encode(blank + option)
        return context, whole[len(context) :]

    def encode(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False).input_ids)


def encoded(embeddings: Tensor) -> str:
    """Embeddings as `prompt_embeds` of a request."""
    file = io.BytesIO()
    torch.save(embeddings, file)
    return base64.b64encode(file.getvalue()).decode()


def place_of(model: str) -> dict[str, Any]:
    """The arguments of `from_pretrained`."""
    path = Path(model)
    if path.suffix == ".gguf":
        return {"pretrained_model_name_or_path": path.parent, "gguf_file": path.name}
    return {"pretrained_model_name_or_path": model}


def main() -> None:
    served = Served(*sys.argv[1:3])
    for line in sys.stdin:
        sys.stdout.write(json.dumps(served.scores(json.loads(line))) + "\n")


if __name__ == "__main__":
    main()
