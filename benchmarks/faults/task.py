"""The run that meets the faults: eight text prompts race on rows that a deterministic model answers, some better."""

import json
import math
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from blackbox import Task

WORDS = {"poor": "negative", "fine": "positive"}
TEMPLATE = "{text} It was {label}."
PROMPTS = [f"Style {number}: is this praise? " for number in range(8)]
USD_PER_MILLION = (2.0, 8.0)
SETTINGS: dict[str, Any] = {
    "backend": "openai",
    "model": "fake",
    "space": "texts",
    "prompts": PROMPTS,
    "usd_per_million_prompt_tokens": USD_PER_MILLION[0],
    "usd_per_million_completion_tokens": USD_PER_MILLION[1],
    "seed": 1,
}
ROWS = {"train": 60, "dev": 24, "test": 40}
FEW_ROWS = {"train": 30, "dev": 8, "test": 10}

_STYLE = re.compile(r"Style (\d+)")


def rows(split: str, count: int) -> list[dict[str, object]]:
    """So many rows of a split, the labels in turn, no two alike."""
    labels = list(WORDS)
    return [{"text": f"{split} {n}, a {labels[n % 2]} film.", "label": labels[n % 2]} for n in range(count)]


def task(counts: Mapping[str, int] = MappingProxyType(ROWS)) -> Task:
    """So many rows in each split."""
    train, dev, test = (rows(split, counts[split]) for split in ("train", "dev", "test"))
    return Task(train, template=TEMPLATE, label_words=WORDS, dev=dev, test=test)


def write_task(path: Path, settings: Mapping[str, Any]) -> Path:
    """A TOML file of the task and these settings, and the rows beside it."""
    for split, count in ROWS.items():
        (path.parent / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(split, count)))
    files = {split: f"{split}.jsonl" for split in ROWS}
    terms = {"template": TEMPLATE, "label_words": ",".join(f"{label}={word}" for label, word in WORDS.items())}
    values = {**files, **terms, **SETTINGS, **settings}
    path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()))
    return path


def answer(body: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The model's answer, of the text alone; the higher a prompt's number, the more rows it has right."""
    text = "".join(str(message["content"]) for message in body["messages"])
    style = _STYLE.search(text)
    share = 0.5 + 0.05 * (int(style[1]) if style else 0)
    right, other = sorted(WORDS.values(), reverse=" fine " in text)
    chance, doubt = zlib.crc32(text.encode()) / 2**32, zlib.crc32(text[::-1].encode()) / 2**32
    word, less = (right, other) if chance < share else (other, right)
    p = 0.5 + 0.49 * doubt
    tops = [{"token": word, "logprob": math.log(p)}, {"token": less, "logprob": math.log(1 - p)}]
    choice: dict[str, Any] = {"message": {"role": "assistant", "content": word}, "finish_reason": "length"}
    if body.get("logprobs"):
        choice["logprobs"] = {"content": [{**tops[0], "top_logprobs": tops}]}
    return {"choices": [choice], "usage": {"prompt_tokens": len(text) // 4 + 1, "completion_tokens": 1}}
