"""Small sweeps of a model behind a real HTTP endpoint."""

import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.faulty import FaultyServer
from tests.backends.api.speakers import said
from tests.blackbox.sweeps.small import small_sweep

KEY = "sk-zanzibar-4711"
PROMPTS = ["Say bad or great.\n", "zzz\n", "Which is it?\n", "Judge.\n"]
PRICES = {"usd_per_million_prompt_tokens": 1_000.0, "usd_per_million_completion_tokens": 2_000.0}


def judge(body: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Says what the row says, or by chance, which is the text's own, the other word; 21 and 1 tokens."""
    text = body["messages"][-1]["content"]
    right = "great" if "great." in text.rsplit("Day", 1)[-1] else "bad"
    wrong = "bad" if right == "great" else "great"
    return said(right if zlib.crc32(text.encode()) % 4 else wrong)


def asking_sweep(folder: Path, server: FaultyServer | None = None, **changes: Any) -> dict[str, Any]:
    """The keys and values of a sweep of four text prompts, with one method unless said otherwise."""
    values = small_sweep(folder, **{"methods": {"all": {"racing": "off"}}, **changes})
    values["settings"] |= {
        **{"backend": "openai", "model": "some", "space": "texts", "prompts": PROMPTS, "parallel": 4, **PRICES},
        **({"base_url": server.base_url} if server else {}),
    }
    del values["settings"]["prompt"]
    return values


@contextmanager
def judging(**options: Any) -> Iterator[FaultyServer]:
    with FaultyServer(**{"answer": judge, **options}) as server:
        yield server
