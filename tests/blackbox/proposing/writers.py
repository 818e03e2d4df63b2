"""Backends that write as the tests say, and a space for them to write for."""

from collections.abc import Callable, Sequence
from pathlib import Path

from blackbox import Task
from blackbox.backends import Failure, FakeBackend, Generations, Prompt, Query, Usage, Writing
from blackbox.backends.writing import GREEDY
from blackbox.config import Config
from blackbox.kept import Kept
from blackbox.proposing.equipment import make_proposer
from blackbox.proposing.proposer import ModelProposer
from blackbox.spaces import ChoicesSpace
from tests.blackbox.small import make_task

INSTRUCTIONS = ("", "Judge the day.", "Say how it was.")
Writes = Callable[[str, Writing], str | None]


class Scripted(FakeBackend):
    """Writes what `writes` makes of a query without options; None is a failure. Remembers what it was asked."""

    def __init__(self, writes: Writes) -> None:
        super().__init__()
        self._writes = writes
        self.calls: list[tuple[list[str], Writing]] = []

    def generate(self, prompts: Sequence[Prompt], queries: Sequence[Query], writing: Writing = GREEDY) -> Generations:
        if queries and queries[0].options:
            return super().generate(prompts, queries, writing)
        self.calls.append(([query.before for query in queries], writing))
        texts = [self._writes(query.before, writing) for query in queries]
        written = tuple(None if text is None else writing.ended(text, cut=text.endswith("##")) for text in texts)
        failures = tuple(Failure(0, place, "filtered") for place, text in enumerate(texts) if text is None)
        return Generations((written,), (Usage(),), failures)


def small_space(task: Task | None = None, *, demonstrations: int = 3) -> ChoicesSpace:
    """Of three instructions and rows of the small task."""
    task = task or make_task()
    return ChoicesSpace(task, INSTRUCTIONS, demonstrations=demonstrations, pool=range(len(task.train)))


def proposer_of(
    writer: FakeBackend, space: ChoicesSpace | None = None, task: Task | None = None, path: Path | None = None
) -> ModelProposer:
    """A proposer for the fake backend's task, as a run has it, which keeps what was written in a file."""
    task = task or make_task()
    return make_proposer(writer, space or small_space(task), task, FakeBackend(), Config(), kept=Kept(path))
