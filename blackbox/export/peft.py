"""Folders that `PeftModel.from_pretrained` loads: prompt tuning (arXiv 2104.08691) or prefix tuning (arXiv 2101.00190).

The package `peft` is not needed to write them. The layout of both files is that of peft's `save_pretrained`: of prompt
tuning the embeddings, shape (n_positions, embedding_size); of prefix tuning the keys and values of each position, layer
by layer, shape (n_positions, n_layers * 2 * n_heads * head_size).
"""

import json
from pathlib import Path
from string import Template

from blackbox.backends import CachedFront, EmbeddedFront, EmbeddingBackend, Frame
from blackbox.backends.prompts import FloatArray
from blackbox.export.fronts import front_of, place_of, write_arrays, write_task
from blackbox.files import write_json, write_whole
from blackbox.saved_prompt import SavedPrompt

_TASKS = {
    "left to right": ("CAUSAL_LM", "AutoModelForCausalLM"),
    "with masks": ("FEATURE_EXTRACTION", "AutoModelForMaskedLM"),
    "encoder and decoder": ("SEQ_2_SEQ_LM", "AutoModelForSeq2SeqLM"),
}
"""How a model reads -> peft's type of task, and the class that loads the model with its head for words."""


def write_peft(saved: SavedPrompt, backend: EmbeddingBackend, folder: Path) -> None:
    """Write `adapter_model.safetensors` and `adapter_config.json`, `task.json`, and a `README.md` with a program.

    Raises:
        UnsupportedPromptError: neither kind of tuning is the prompt; says why.
        RunError: the folder cannot be written.
    """
    front = front_of(saved, backend)
    write_arrays(folder, "adapter_model.safetensors", {"prompt_embeddings": _weights(front)})
    write_task(folder, saved, backend)
    write_whole(folder / "README.md", _readme(saved, backend.frame, front, folder).encode())
    common = {"base_model_name_or_path": place_of(saved.model), "inference_mode": True, "num_transformer_submodules": 1}
    task_type = _TASKS[backend.frame.reads][0]
    write_json(folder / "adapter_config.json", {**common, "task_type": task_type, **_sizes(front)})


def _weights(front: EmbeddedFront | CachedFront) -> FloatArray:
    if isinstance(front, EmbeddedFront):
        return front.embeddings
    by_position = front.keys_values.transpose(2, 0, 1, 3, 4)
    return by_position.reshape(len(by_position), -1)


def _sizes(front: EmbeddedFront | CachedFront) -> dict[str, object]:
    if isinstance(front, EmbeddedFront):
        n_positions, size = front.embeddings.shape
        return {"peft_type": "PROMPT_TUNING", "num_virtual_tokens": n_positions, "token_dim": size}
    n_layers, _, n_positions, n_heads, size = front.keys_values.shape
    return {
        "peft_type": "PREFIX_TUNING",
        "num_virtual_tokens": n_positions,
        "num_layers": n_layers,
        "num_attention_heads": n_heads,  # those of keys and values, as peft counts them in a prefix
        "token_dim": n_heads * size,
        "prefix_projection": False,
    }


def _readme(saved: SavedPrompt, frame: Frame, front: EmbeddedFront | CachedFront, folder: Path) -> str:
    read = _BEHIND_PROMPT
    if isinstance(front, CachedFront) and frame.reads == "with masks":
        read = _BESIDE_PREFIX
    elif frame.reads == "encoder and decoder":
        read = _INTO_ENCODER
    lines = Template(read).substitute(
        end="".join(f", {token}" for token in frame.end),
        opening=list(frame.opening),
        shift=frame.first_position - (front.keys_values.shape[2] if isinstance(front, CachedFront) else 0),
    )
    return Template(_README).substitute(
        kind="prompt" if isinstance(front, EmbeddedFront) else "prefix",
        model=saved.model,
        place=_place(place_of(saved.model)),
        load=_TASKS[frame.reads][1],
        folder=repr(str(folder)),
        lines=lines,
        template=saved.template,
        words=json.dumps(saved.label_words, ensure_ascii=False),
        offsets="" if saved.finished.offsets is None else _OFFSETS,
    )


def _place(model: str) -> str:
    """The arguments of `from_pretrained`."""
    path = Path(model)
    return f"{str(path.parent)!r}, gguf_file={path.name!r}" if path.suffix == ".gguf" else repr(model)


_README = """# A $kind for $model

Written by blackbox from a prompt that it has found. It belongs to these weights and to no others.

```python
import torch
from peft import PeftModel
from transformers import $load, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained($place)
base = $load.from_pretrained($place)
model = PeftModel.from_pretrained(base, $folder).eval()


@torch.inference_mode()
def logits(row: str) -> torch.Tensor:
$lines
```

A row is put into the template `$template`, and the model answers where `{label}` stands with one of the label words
$words. `task.json` says the same to programs.$offsets
"""

_OFFSETS = """ The offsets that stand there are added to the label words' log-probabilities."""

_BEHIND_PROMPT = """\
    # what a text begins with is part of the prompt
    ids = torch.tensor([[*tokenizer(row, add_special_tokens=False).input_ids$end]])
    return model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0, -1]"""

_INTO_ENCODER = """\
    ids = torch.tensor([[*tokenizer(row, add_special_tokens=False).input_ids$end]])
    decoder_ids = torch.tensor([$opening])
    found = model(input_ids=ids, attention_mask=torch.ones_like(ids), decoder_input_ids=decoder_ids)
    return found.logits[0, -1]"""

_BESIDE_PREFIX = """\
    # the row has the tokenizer's mask where the answer goes
    ids = torch.tensor([tokenizer(row).input_ids])
    # positions are those of the row alone; peft adds the length of the prefix to them
    positions = torch.arange(ids.shape[1])[None] + $shift
    found = model(input_ids=ids, attention_mask=torch.ones_like(ids), position_ids=positions)
    return found.logits[0, ids[0] == tokenizer.mask_token_id][0]"""
