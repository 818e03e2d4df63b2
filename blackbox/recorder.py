"""Scoring in a run: what the journal knows is taken from it, all else is asked and written down before it is used."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from operator import add

import numpy as np
import numpy.typing as npt

from blackbox.backends import Usage
from blackbox.backends.errors import SpentError
from blackbox.budget import Budget, price, price_of_rows
from blackbox.evaluation import Evaluation, candidate_digest
from blackbox.journal import Journal
from blackbox.objective import Objective
from blackbox.outcome import Outcome
from blackbox.run_clock import RunClock
from blackbox.split import Split
from blackbox.stop_rules import StopRules
from blackbox.tally import Tally

log = logging.getLogger(__name__)

Candidates = npt.NDArray[np.float64]


class Recorder:
    """Scores candidates through the journal, counts, and says when the time is up.

    Args:
        objective: what candidates are scored by.
        budget: hard limits.
        rules: the size of a slice, and what is left for looks at the dev rows and for the end.
        journal: the answers paid for so far, and where further ones are written down.
        block: the block that is being searched, if any.
        keeps_rows: whether the losses of single training rows are written down too.
        told: called with evaluations when they are counted.

    Attributes:
        tally: the counters.
        generation: the one that is being scored.
        used: by the evaluations of this run so far.
        ended: the limit that was reached in mid-generation.
    """

    def __init__(
        self,
        objective: Objective,
        budget: Budget,
        rules: StopRules,
        journal: Journal,
        *,
        block: Callable[[], int | None],
        keeps_rows: bool,
        told: Callable[[tuple[Evaluation, ...]], None],
    ) -> None:
        self.tally, self.generation, self.used = Tally(), 0, Usage()
        self.ended: str | None = None
        self._objective, self._budget, self._rules, self._journal = objective, budget, rules, journal
        self._block, self._keeps_rows, self._told = block, keeps_rows, told
        self._task = objective.task
        self._clock = RunClock(budget.seconds, earlier=journal.elapsed)
        self._scored = 0.0  # training evaluations of this session

    @property
    def history(self) -> tuple[Evaluation, ...]:
        """The evaluations of this run so far, in order."""
        return self._journal.evaluations[: self.tally.number]

    @property
    def elapsed(self) -> float:
        """Seconds since the run began, over all its sessions."""
        return self._clock.elapsed

    @property
    def rate(self) -> float:
        """Training evaluations a second in this session."""
        return self._scored / self._clock.session

    @property
    def looks(self) -> int:
        """What looking at the finalists of a generation counts."""
        return self._rules.finalists * price(self._task.dev, self._task)

    def go_on(self, tally: Tally) -> None:
        """Go on from the counters of a checkpoint."""
        self.tally, self.generation = tally, tally.generation
        self.used = reduce(add, (evaluation.usage for evaluation in self.history), Usage())
        self._objective.learn(self.history)

    def score(self, candidates: Candidates, split: Split) -> list[Evaluation]:
        """Score candidates slice by slice, from the journal where it has the answers; fewer where a limit ends it."""
        size = self._rules.slice_size
        parts = deque(candidates[first : first + size] for first in range(0, len(candidates), size))
        evaluations: list[Evaluation] = []
        self._objective.prepare(candidates)
        while parts and not self._ended_before(split) and (answers := self._known(parts[0])):
            parts.popleft()
            evaluations.extend(self._taken(answers, split))
        try:
            for part, outcomes in zip(parts, self._objective.slices(self._in_time(parts, split), split), strict=False):
                evaluations.extend(self._taken(self._written(part, outcomes, split), split))
        except SpentError as error:
            log.warning("the budget is used up: %s", error)
            self.ended = error.limit
        return evaluations

    def add(
        self, digest: str, split: Split, score: Callable[[], Outcome | None], *, counts: int, prompts: int
    ) -> Evaluation | None:
        """Score what is no candidate, in the same journal and budget.

        Args:
            digest: of what is scored.
            split: on which rows.
            score: makes the outcome; None where there is none.
            counts: evaluations in the budget.
            prompts: how many are asked for each row.

        Returns:
            The evaluation; None where the budget does not allow it or there is no outcome, now or when the journal's
            next evaluation was made.
        """
        if self.tally.number < len(self._journal):
            added = self._journal[self.tally.number]
            if added.candidate != digest:
                return None
        else:
            late = self._late(counts, (prompts - 1) * self.tally.test_seconds)
            if counts and (late or self.tally.spent + counts > self._budget.evaluations):
                return None
            try:
                outcome = score()
            except SpentError as error:
                log.warning("the budget is used up: %s", error)
                return None
            if outcome is None:
                return None
            [added] = self._journal.append([self._evaluation(self.tally.number, split, digest, outcome)])
        self.tally.number += 1
        self.tally.spent += counts
        self.used += added.usage
        self._told((added,))
        return added

    def no_time_to_ask(self) -> bool:
        """Whether the time limit stands in front of the next generation; it ended the run here before, or does now."""
        if self._budget.seconds is None:
            return False
        if self.tally.number < len(self._journal):
            return self._ended_before(self._task.train)
        return self._late(1 + self._rules.reserve, self.tally.asking)

    def _taken(self, answers: list[Evaluation], split: Split) -> list[Evaluation]:
        """Take note of the evaluations of a slice."""
        earlier = self._journal[self.tally.number - 1].elapsed if self.tally.number else 0.0
        self._objective.learn(answers)
        self.tally.took(split.name, answers[-1].elapsed - earlier, len(answers))
        self.tally.number += len(answers)
        self.used = reduce(add, (answer.usage for answer in answers), self.used)
        self.tally.spent += self._counted(split, len(answers))
        self._told(tuple(answers))
        return answers

    def _counted(self, split: Split, count: int) -> int:
        """What so many candidates count in the budget; of samples, all rows together are rounded up."""
        if split.numbers is None:
            return count * price(split, self._task)
        before = price_of_rows(self.tally.sampled, self._task)
        self.tally.sampled += count * len(split)
        return price_of_rows(self.tally.sampled, self._task) - before

    def _in_time(self, parts: Iterable[Candidates], split: Split) -> Iterator[Candidates]:
        """The slices, until the time limit ends the search. Several may be drawn before the first is written down."""
        drawn = self.tally.number
        for part in parts:
            drawn += len(part)
            ahead = drawn - self.tally.number + self._rules.reserve
            if split.source == "train" and self._late(ahead, asking=0.0):
                self.ended = "seconds"
                return
            yield part

    def _known(self, part: Candidates) -> list[Evaluation] | None:
        numbered = enumerate(part, start=self.tally.number)
        known = [self._journal.find(number, candidate=candidate_digest(candidate)) for number, candidate in numbered]
        found = [evaluation for evaluation in known if evaluation is not None]
        return found if len(found) == len(part) else None

    def _written(self, part: Candidates, outcomes: Sequence[Outcome], split: Split) -> list[Evaluation]:
        """Write a slice down. Of one that was torn by a kill, the journal's part is kept."""
        numbered = enumerate(zip(part, outcomes, strict=True), start=self.tally.number)
        if split.source == "train":
            self._scored += len(part) * len(split) / len(self._task.train)
        return self._journal.append(
            [self._evaluation(n, split, candidate_digest(z), outcome) for n, (z, outcome) in numbered]
        )

    def _ended_before(self, split: Split) -> bool:
        """Whether the time limit ended the run here before: its journal has something else where a slice would be."""
        ended = (
            split.source == "train"
            and self.tally.number < len(self._journal)
            and self._journal[self.tally.number].split not in ("train", "sample")
        )
        if ended:
            self.ended = "seconds"
        return ended

    def _evaluation(self, number: int, split: Split, digest: str, outcome: Outcome) -> Evaluation:
        of_training = split is self._task.train
        return Evaluation(
            number=number,
            split=split.name,
            generation=self.generation,
            block=self._block(),
            candidate=digest,
            elapsed=self.elapsed,
            **{
                **vars(outcome),
                **({} if of_training and self._keeps_rows else {"row_losses": None}),
                **({} if of_training else {"prompt": None}),
            },
        )

    def _late(self, evaluations: int, asking: float) -> bool:
        """Whether asking, a slice, a look at the dev rows and the last scoring of the test rows might take too long."""
        return self._clock.late(self.tally, evaluations + self.looks, asking=asking)
