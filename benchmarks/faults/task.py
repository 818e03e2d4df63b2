"""The task that meets the faults: rows that a deterministic model answers, behind some prompts better than others."""

import json
import math
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blackbox import Task
from blackbox.proposing.meta_prompts import HEAD

WORDS = {"poor": "negative", "fine": "positive"}
TEMPLATE = "{text} It was {label}."
STYLE = "Style {}: is this praise?"
"""Of an instruction; the higher the number, the better."""
BEST = 9
USD_PER_MILLION = (2.0, 8.0)
SETTINGS: dict[str, Any] = {
    "backend": "openai",
    "model": "fake",
    "usd_per_million_prompt_tokens": USD_PER_MILLION[0],
    "usd_per_million_completion_tokens": USD_PER_MILLION[1],
    "seed": 1,
}
"""Of all runs."""
ROWS = {"train": 60, "dev": 24, "test": 40}
FEW_ROWS = {"train": 30, "dev": 8, "test": 10}

_STYLE = re.compile(r"Style (\d+)")
_TONE = re.compile(rf" ({'|'.join(WORDS)}) ")


def rows(split: str, count: int) -> list[dict[str, object]]:
    """So many rows of a split, the labels in turn, no two alike."""
    labels = list(WORDS)
    return [{"text": f"{split} {n}, a {labels[n % 2]} film.", "label": labels[n % 2]} for n in range(count)]


def task(counts: Mapping[str, int]) -> Task:
    """So many rows in each split."""
    train, dev, test = (rows(split, counts[split]) for split in ("train", "dev", "test"))
    return Task(train, template=TEMPLATE, label_words=WORDS, dev=dev, test=test)


def write_task(path: Path, counts: Mapping[str, int], settings: Mapping[str, Any]) -> Path:
    """A TOML file of the task with so many rows in each split, and these settings, and the rows beside it."""
    for split, count in counts.items():
        (path.parent / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(split, count)))
    files = {split: f"{split}.jsonl" for split in ROWS}
    terms = {"template": TEMPLATE, "label_words": ",".join(f"{label}={word}" for label, word in WORDS.items())}
    values = {**files, **terms, **SETTINGS, **settings}
    path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()))
    return path


def answer(body: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The model's answer: to a meta prompt an instruction, else a label.

    A label depends on the text alone; the higher the number of its style, the more rows are right.
    """
    text = "".join(str(message["content"]) for message in body["messages"])
    if HEAD.strip() in text:
        written = _proposed(zlib.crc32(f"{text}{body.get('seed')}".encode()))
        return _chat(written, text, tokens=len(written) // 4 + 1)
    style = _STYLE.search(text)
    share = 0.5 + 0.05 * (min(int(style[1]), BEST) if style else 0)
    right = WORDS[_TONE.findall(text)[-1]] if _TONE.search(text) else "negative"
    [other] = set(WORDS.values()) - {right}
    chance, doubt = zlib.crc32(text.encode()) / 2**32, zlib.crc32(text[::-1].encode()) / 2**32
    word, less = (right, other) if chance < share else (other, right)
    p = 0.5 + 0.49 * doubt
    tops = [{"token": word, "logprob": math.log(p)}, {"token": less, "logprob": math.log(1 - p)}]
    told = {"logprobs": {"content": [{**tops[0], "top_logprobs": tops}]}} if body.get("logprobs") else {}
    return _chat(word, text, finish_reason="length", **told)


def _proposed(number: int) -> str:
    """An instruction that differs with the number; each fourth is none that can be used."""
    if number % 4 == 0:
        return "Praise, praise, praise, praise, praise."
    return f"<prompt>{STYLE.format(number % (BEST + 1))} Mind sign {number}.</prompt>"


def _chat(content: str, text: str, *, tokens: int = 1, **more: object) -> dict[str, Any]:
    """An answer of so many tokens to a text, four characters of which are one."""
    choice = {"message": {"role": "assistant", "content": content}, "finish_reason": "stop", **more}
    usage = {"prompt_tokens": len(text) // 4 + 1, "completion_tokens": tokens}
    return {"choices": [choice], "usage": usage}
