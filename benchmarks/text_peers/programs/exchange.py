"""What the benchmark and a tool's program say to each other, as JSON files. Standard library only."""

import json
import resource
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

Messages = list[dict[str, str]]


@dataclass(frozen=True)
class Example:
    """A row as the task's template asks it, and its answer: a label word or a target."""

    input: str
    answer: str


@dataclass(frozen=True)
class Brief:
    """What a tool is given.

    Attributes:
        method: of the tool.
        base_url: of the proxy; its key is any text.
        model: its name.
        limit: of calls.
        seed: of all that is drawn.
        description: what is to be done, a sentence.
        instructions: to start from, the first is the start.
        words: label words in the order of the labels; none for targets.
        slots: a row with a slot `<<field>>` for each field, as it is asked.
        train, dev: rows.
        task: the same for this project, as its `Task.to_dict` says, without test rows.
        answer_tokens, proposal_tokens: written at most.
    """

    method: str
    base_url: str
    model: str
    limit: int
    seed: int
    description: str
    instructions: Sequence[str]
    words: Sequence[str]
    slots: str
    train: Sequence[Example]
    dev: Sequence[Example]
    task: dict[str, Any]
    answer_tokens: int
    proposal_tokens: int

    @classmethod
    def of(cls, values: dict[str, Any]) -> "Brief":
        """From what `asdict` made of one."""
        rows = {split: [Example(**row) for row in values[split]] for split in ("train", "dev")}
        return cls(**{**values, **rows})


@dataclass(frozen=True)
class Found:
    """What a tool hands back.

    Attributes:
        messages: that it would send for a row, with the brief's slots where the row stands.
        words: label words of these messages, in the order of the labels; none for targets.
        begin, end: markers of the answer, if it has any.
        ended: what ended the search.
        prompt: of this project, as `prompt_to_dict` says.
    """

    messages: Messages
    words: Sequence[str]
    begin: str = ""
    end: str = ""
    ended: str = "itself"
    prompt: dict[str, Any] | None = None


def serve(search: Callable[[Brief], Found]) -> None:
    """Read the brief from the first file that the command names, search, write what was found to the second."""
    given, result = map(Path, sys.argv[1:3])
    brief = Brief.of(json.loads(given.read_text()))
    began = time.monotonic()
    found = search(brief)
    seconds, peak = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result.write_text(json.dumps({"found": asdict(found), "seconds": seconds, "peak_mb": peak}))


def left(brief: Brief) -> int:
    """Calls that are left."""
    with urllib.request.urlopen(f"{brief.base_url}/left", timeout=60) as reply:
        return int(json.load(reply)["left"])


def ended(brief: Brief) -> str:
    """What ends a search now."""
    return "itself" if left(brief) else "limit"


def ask(base_url: str, messages: Messages, **settings: Any) -> str:
    """The text that the model writes behind messages.

    Raises:
        HTTPError: the endpoint, or the limit, refuses.
    """
    body = json.dumps({"messages": messages, **settings}).encode()
    request = urllib.request.Request(f"{base_url}/chat/completions", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as reply:
        return json.load(reply)["choices"][0]["message"]["content"] or ""
