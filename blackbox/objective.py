"""The objective: candidates in, losses and metrics on a split out."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from blackbox.backends import Backend, Prompt, Usage
from blackbox.evaluation import Evaluation
from blackbox.outcome import NO_PROMPT, Outcome
from blackbox.parallel import Executor, Serial
from blackbox.scorer import Contenders, Scorer
from blackbox.spaces import DecomposedSpace, DeepSpace, PrefixSpace, PromptSpace, SoftSpace, WrittenSpace
from blackbox.split import Split
from blackbox.task import Task

Candidates = npt.NDArray[np.float64]
R = TypeVar("R")

OF_VECTORS = (SoftSpace, DeepSpace, PrefixSpace, DecomposedSpace)
"""Spaces in which every candidate has a prompt, too large to be sent to a worker, and no two share one."""


@dataclass(frozen=True)
class Objective:
    """Composes a prompt space, a backend and a task.

    Equal text prompts of a call are scored once. Of a space whose prompts a model writes, what is known from earlier
    evaluations (`learn`) is not scored again, unless rows were without an answer. A shared outcome costs nothing.

    Attributes:
        executor: has the workers that ask the backend; None asks it in this process.
        slice_size: prompts that a worker is sent at most; None sends it all of a call.
    """

    task: Task
    backend: Backend
    space: PromptSpace
    executor: Executor[Scorer] | None = field(default=None, kw_only=True)
    slice_size: int | None = field(default=None, kw_only=True)
    known: dict[tuple[Prompt, str], Outcome] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def scorer(self) -> Scorer:
        """What each worker has."""
        return Scorer(self.task, self.backend, self.space)

    def __call__(self, candidates: Candidates, split: Split) -> list[Outcome]:
        """Score candidates of shape (n, dimension) on the rows of a split; n outcomes."""
        if isinstance(self.space, OF_VECTORS):
            return self.score(candidates, split)
        prompts = self.space.decode(candidates)
        different = dict.fromkeys(prompt for prompt in prompts if prompt is not None)
        known = {prompt: self.known[prompt, split.name] for prompt in different if (prompt, split.name) in self.known}
        new = [prompt for prompt in different if prompt not in known]
        scored = dict(zip(new, self.score(new, split), strict=True)) if new else {}
        free = known | {prompt: replace(outcome, usage=Usage()) for prompt, outcome in scored.items()}
        return [NO_PROMPT if prompt is None else scored.pop(prompt, free[prompt]) for prompt in prompts]

    @property
    def whole(self) -> bool:
        """Whether a generation must come in one call."""
        return not isinstance(self.space, OF_VECTORS)

    def slices(self, parts: Iterable[Candidates], split: Split) -> Iterator[list[Outcome]]:
        """Score slices of candidates; their outcomes in order. Slices are drawn as soon as a worker is free."""
        if self.whole:
            return (self(part, split) for part in parts)
        job = partial(Scorer.score, split=split.source, rows=split.numbers)
        return self.workers.map(partial(job, contenders=part) for part in parts)

    def score(self, contenders: Contenders, split: Split) -> list[Outcome]:
        """The outcomes on the rows of a split, one each."""
        return self.in_slices(partial(Scorer.score, split=split.source, rows=split.numbers), contenders)

    def in_slices(self, job: Callable[..., list[R]], contenders: Contenders) -> list[R]:
        """What workers do with contenders, slice by slice; joined."""
        size = self.slice_size or max(1, len(contenders))
        slices = (contenders[first : first + size] for first in range(0, len(contenders), size))
        return [one for part in self.workers.map(partial(job, contenders=part) for part in slices) for one in part]

    @property
    def workers(self) -> Executor[Scorer]:
        """Who asks the backend."""
        return self.executor or Serial(self.scorer)

    def prepare(self, candidates: Candidates) -> None:
        """Decode the candidates of several calls in one, where a model writes their prompts."""
        if isinstance(self.space, WrittenSpace):
            self.space.decode(candidates)

    def learn(self, evaluations: Sequence[Evaluation]) -> None:
        """Take evaluations of this run, in order, for known: each tells of all later candidates with its prompt."""
        if not isinstance(self.space, WrittenSpace):
            return
        for evaluation in evaluations:
            prompt = self.space.written_for(evaluation.candidate)
            if prompt is not None and not evaluation.failed_rows:
                parts = {part.name: getattr(evaluation, part.name) for part in fields(Outcome)}
                self.known.setdefault((prompt, evaluation.split), Outcome(**{**parts, "usage": Usage()}))
