"""A model that writes instructions from rows, steered by soft prompts (InstructZero, arXiv 2306.03082)."""

import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import replace

from blackbox.backends import Prompt, Query, Writing, Written
from blackbox.proposing.bounded import shortened
from blackbox.proposing.checks import Checks
from blackbox.proposing.meta_prompts import INDUCTION, induce
from blackbox.proposing.reading import read
from blackbox.proposing.refusal import Refusal
from blackbox.proposing.writers import VectorWriter
from blackbox.spaces import Induced
from blackbox.task import Task

log = logging.getLogger(__name__)

_TO = re.compile(r"^(?:[:\s]*to\s+)?", re.IGNORECASE)


class Inducer:
    """What a model writes behind soft prompts that stand on the tokens of `INDUCTION`, and some rows.

    It goes on with a text in the most probable way: the same soft prompts have the same instructions.

    Args:
        backend: writes.
        task: its training rows are shown, never others.
        rows: numbers of those.
        checks: refuse what cannot be used.
        tokens: written at most.
    """

    def __init__(self, backend: VectorWriter, task: Task, rows: Sequence[int], *, checks: Checks, tokens: int) -> None:
        self._backend, self._checks = backend, checks
        self._query = Query(induce([pair(task, row) for row in rows]), ())
        self._writing = Writing(tokens, stop=("\n",))

    @property
    def source(self) -> str:
        """What tells it from others."""
        asked = f"{self._backend.model_hash} {INDUCTION}{self._query.before} {self._writing}"
        return hashlib.sha256(asked.encode()).hexdigest()

    def __call__(self, prompts: Sequence[Prompt]) -> list[Induced]:
        """One instruction for each soft prompt, or why there is none."""
        written = self._backend.generate(prompts, [self._query], self._writing).written
        return [self._induced(one) for (one,) in written]

    def _induced(self, written: Written | None) -> Induced:
        instruction = read(written and replace(written, text=_TO.sub("", written.text, count=1)))
        refusal = instruction if isinstance(instruction, Refusal) else self._checks.refusal(instruction, ())
        if refusal is None:
            return Induced(instruction[:1].upper() + instruction[1:])
        log.debug("refused (%s): %s", refusal, shortened(written.text if written else "", 200))
        return Induced(refusal=refusal.value)


def pair(task: Task, row: int) -> tuple[str, str]:
    """Input and output of a training row: its fields, with their names where there are several, and its answer."""
    split = task.train
    values = split.rows[row]
    fields = list(dict.fromkeys(task.template.fields))
    named = [f"{field}: {values[field]}" for field in fields]
    given = "\n".join(named) if len(fields) > 1 else str(values[fields[0]])
    return given, split.queries[row].options[int(split.labels[row])]
