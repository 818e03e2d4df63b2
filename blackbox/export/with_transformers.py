"""Scores rows behind the prompt in this folder, with transformers alone.

    python score.py [MODEL] < rows.jsonl

MODEL is a folder or a name on the Hugging Face hub, by default the one that the prompt was found for. Each row is a
line of JSON with the template's fields; the answer is a line with the log-probability, in nats, of each label's word.
Written by blackbox; needs torch, transformers and safetensors. Plain and slow: one row and one label word at a time.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    DynamicCache,
)

FOLDER = Path(__file__).resolve().parent
CLASSES = {
    "left to right": AutoModelForCausalLM,
    "with masks": AutoModelForMaskedLM,
    "encoder and decoder": AutoModelForSeq2SeqLM,
}


class Prompted:
    """A model behind the prompt: embeddings, keys and values, or vectors added in layers, whichever the folder has."""

    def __init__(self, model: str | None = None) -> None:
        self.task: dict[str, Any] = json.loads((FOLDER / "task.json").read_text(encoding="utf-8"))
        self.arrays = load_file(FOLDER / "prompt.safetensors")
        place = place_of(model or self.task["model"])
        self.model: Any = CLASSES[self.task["reads"]].from_pretrained(**place).eval()
        self.tokenizer: Any = AutoTokenizer.from_pretrained(**place)

    def scores(self, row: dict[str, Any]) -> dict[str, float]:
        """Log-probability of each label, or of the row's target."""
        words = self.task["label_words"]
        if not words:
            target = row[self.task["target_field"]]
            return {"target": float(self.likelihood(row, target[0] if isinstance(target, list) else target))}
        found = torch.stack([self.likelihood(row, word) for word in words.values()]).log_softmax(0)
        if self.task["offsets"] is not None:
            found = (found + torch.tensor(self.task["offsets"], dtype=torch.float64)).log_softmax(0)
        return dict(zip(words, found.tolist(), strict=True))

    @torch.inference_mode()
    def likelihood(self, row: dict[str, Any], option: str) -> Tensor:
        """Log-probability of a text where the template has its label, summed over its tokens."""
        task, reads = self.task, self.task["reads"]
        before, after = task["before"].format(**row), task["after"].format(**row)
        context, tokens = self.split(before, option)
        behind = [*self.encode(after), *task["end"]]
        if reads == "left to right":
            logits = self.logits(context + tokens)[len(context) - 1 : -1]
        elif reads == "with masks":
            logits = self.logits(context + [task["blank"]] * len(tokens) + behind)
            logits = logits[len(context) : len(context) + len(tokens)]
        else:
            fills = bool(task["label_words"]) and task["blank"] is not None
            opening = list(task["opening"] if fills else task["start"])
            ids = context + [task["blank"]] * fills + behind
            logits = self.logits(ids, opening + tokens)[len(opening) - 1 : -1]
        return logits.double().log_softmax(-1).gather(1, torch.tensor(tokens)[:, None]).sum()

    def logits(self, ids: list[int], decoder_ids: list[int] | None = None) -> Tensor:
        """What the model answers at a row's own tokens, or at the decoder's, shape (tokens, vocabulary_size)."""
        n_read = len(decoder_ids or ids)
        settings: dict[str, Any] = {"decoder_input_ids": torch.tensor([decoder_ids])} if decoder_ids else {}
        if "embeddings" in self.arrays:
            own = self.model.get_input_embeddings()(torch.tensor([ids]))
            settings["inputs_embeds"] = torch.cat([self.arrays["embeddings"][None].to(own), own], dim=1)
        elif "keys_values" in self.arrays:
            settings |= self.behind_cache(ids)
        else:
            settings["input_ids"] = torch.tensor([[*self.task["begin"], *self.task["tokens"], *ids]])
        with self.added():
            logits: Tensor = self.model(**settings).logits[0, -n_read:]
        return logits

    def behind_cache(self, ids: list[int]) -> dict[str, Any]:
        """Inputs of a row whose every position sees the keys and values in front."""
        pairs = self.arrays["keys_values"].to(self.model.dtype).transpose(2, 3)[:, :, None]
        settings: dict[str, Any] = {"past_key_values": DynamicCache([(keys, values) for keys, values in pairs])}
        if self.task["reads"] == "with masks":  # positions are those without a prompt
            ids = [*self.task["begin"], *ids]
            settings["position_ids"] = torch.arange(len(ids))[None] + self.task["first_position"]
        mask = torch.ones(1, pairs.shape[-2] + len(ids), dtype=torch.long)
        return {**settings, "input_ids": torch.tensor([ids]), "attention_mask": mask}

    @contextmanager
    def added(self) -> Iterator[None]:
        """While open, vectors are added to what enters the layers, at the prompt's tokens."""
        count = self.model.config.num_hidden_layers
        lists = (one for one in self.model.modules() if isinstance(one, nn.ModuleList) and len(one) == count)
        layers = next(lists)  # of an encoder-decoder, the encoder's
        start = len(self.task["begin"])

        def hook(vectors: Tensor) -> Any:
            def enter(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
                hidden = (args[0] if args else kwargs["hidden_states"]).clone()
                places = hidden[:, start : start + len(vectors)]
                places += vectors[: places.shape[1]].to(hidden)  # some prompts move the row's first positions, too
                return ((hidden, *args[1:]), kwargs) if args else (args, {**kwargs, "hidden_states": hidden})

            return enter

        with ExitStack() as hooks:
            for name, vectors in self.arrays.items():
                if name.isdecimal():
                    layer = layers[int(name)]
                    handle = layer.register_forward_pre_hook(hook(vectors), with_kwargs=True)
                    hooks.callback(handle.remove)
            yield

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


def place_of(model: str) -> dict[str, Any]:
    """The arguments of `from_pretrained`."""
    path = Path(model)
    if path.suffix == ".gguf":
        return {"pretrained_model_name_or_path": path.parent, "gguf_file": path.name}
    return {"pretrained_model_name_or_path": model}


def main() -> None:
    prompted = Prompted(*sys.argv[1:2])
    for line in sys.stdin:
        sys.stdout.write(json.dumps(prompted.scores(json.loads(line))) + "\n")


if __name__ == "__main__":
    main()
