"""The search loop: ask, score, write down, tell, select, save, stop.

Whatever is paid for stands in the journal first, and all other state between two generations is in `Search.state_dict`:
a run that was killed goes on from its last checkpoint with the journal's answers and ends as the unbroken run does.
"""

import logging
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from operator import add

import numpy as np
import numpy.typing as npt

from blackbox.backends import Backend, MeteredBackend, Usage
from blackbox.backends.errors import SpentError
from blackbox.budget import Budget, price, price_of_generation, price_of_rows, price_of_start
from blackbox.callbacks.base import Callback, Progress
from blackbox.errors import BudgetError
from blackbox.evaluation import Evaluation, candidate_digest
from blackbox.journal import Journal
from blackbox.objective import Objective
from blackbox.optimizers import Blockwise, LearnsFromRows, Optimizer
from blackbox.outcome import Outcome
from blackbox.row_samples import RowSamples
from blackbox.run_clock import RunClock
from blackbox.selection import Choice, Selection
from blackbox.spaces import GrowingSpace
from blackbox.split import Split
from blackbox.stop_rules import StopRules
from blackbox.tally import Tally

log = logging.getLogger(__name__)

Candidates = npt.NDArray[np.float64]


class Search:
    """One search, from the starting prompt to a stop reason.

    Args:
        objective: what candidates are scored by.
        optimizer: what proposes them.
        budget: hard limits.
        rules: other reasons to stop.
        journal: the answers paid for so far, and where further ones are written down.
        callbacks: what watches.
        save: called after each generation.
        finish: called when the search has ended; None scores the selected prompt on the test rows.
        writer: the model that writes for the optimizer, if any; what it costs is the run's.
        samples: the rows of each generation; None: all training rows.

    Attributes:
        before: what the run has spent before its search; its evaluations are in `tally.spent` from the start.
    """

    def __init__(
        self,
        objective: Objective,
        optimizer: Optimizer,
        *,
        budget: Budget,
        rules: StopRules,
        journal: Journal,
        callbacks: Sequence[Callback] = (),
        save: Callable[["Search"], None] = lambda search: None,
        finish: Callable[["Search"], None] | None = None,
        writer: Backend | None = None,
        samples: RowSamples | None = None,
    ) -> None:
        self.objective, self.optimizer, self.budget, self.rules = objective, optimizer, budget, rules
        self.writer = writer
        self._samples = samples
        self.before = Usage()
        self.selection = Selection()
        self.tally = Tally()
        self._task = objective.task
        self._journal, self._callbacks, self._save = journal, callbacks, save
        self._finish = finish or (lambda search: search.test(search.selection.chosen))
        self._clock = RunClock(budget.seconds, earlier=journal.elapsed)
        self._used = Usage()  # by the evaluations of this run so far
        self._scored = 0.0  # training evaluations of this session
        self._generation = 0  # the one that is being scored
        self._ended: str | None = None  # the limit that was reached in mid-generation
        self._at_mean = False  # whether the mean is being scored

    @property
    def history(self) -> tuple[Evaluation, ...]:
        """The evaluations of this run so far, in order."""
        return self._journal.evaluations[: self.tally.number]

    @property
    def elapsed(self) -> float:
        """Seconds since the run began, over all its sessions."""
        return self._clock.elapsed

    @property
    def usage(self) -> Usage:
        """What the run has cost so far; of a model behind an endpoint, all that it has taken."""
        backend, writer = self.objective.backend, self.writer
        if isinstance(backend, MeteredBackend):
            return backend.spent
        return self._used + self.before + (writer.spent if isinstance(writer, MeteredBackend) else Usage())

    def run(self) -> str:
        """Search until there is a reason to stop, then finish.

        Returns:
            The reason: "evaluations", "seconds", "requests", "prompt_tokens", "completion_tokens", "usd", "target",
            "patience" or "optimizer (...)".

        Raises:
            BudgetError: the budget ends before the first generation does.
            StoppedError: the backend makes no further calls for another reason than the budget.
        """
        for callback in self._callbacks:
            callback.on_start(self.progress())
        if not self.tally.number:
            self._score_start()
        while (reason := self._stop_reason()) is None:
            self._step()
        self._finish(self)
        for callback in self._callbacks:
            callback.on_end(self.progress(), reason)
        return reason

    def save(self) -> None:
        """Save the state once more: a kill may have come between two files of the last save."""
        self._save(self)

    def test(self, choice: Choice | None) -> Evaluation | None:
        """The evaluation of a choice on the test rows, made if there is none yet; None where there are no test rows."""
        if choice is None or not len(self._task.test):
            return None
        for known in self.history:
            if known.split == "test" and known.candidate == choice.evaluation.candidate:
                return known
        began = self.elapsed
        tested = self._score(choice.candidate[None], self._task.test)
        if not tested:
            log.warning("the test rows are not scored behind the selected prompt")
            return None
        self.tally.test_seconds = max(tested[0].usage.seconds, self.elapsed - began)
        return tested[0]

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
            if counts and (late or self.tally.spent + counts > self.budget.evaluations):
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
        self._used += added.usage
        for callback in self._callbacks:
            callback.on_evaluations((added,), self.progress())
        return added

    def progress(self) -> Progress:
        """How far the search is."""
        chosen, lowest = self.selection.dev, self.selection.train
        return Progress(
            budget=self.budget,
            evaluations=self.tally.spent,
            generation=self.tally.generation,
            block=self._block(),
            train_loss=lowest.evaluation.loss if lowest else None,
            dev=chosen.evaluation.figure if chosen else None,
            elapsed=self.elapsed,
            rate=self._scored / self._clock.session,
            usage=self.usage,
        )

    def state_dict(self) -> dict[str, object]:
        """JSON values that `load_state_dict` goes on from. The history is the journal's."""
        parts = {"optimizer": self.optimizer.state_dict(), "selection": self.selection.state_dict()}
        space = self.objective.space
        grown = {"space": space.state_dict()} if isinstance(space, GrowingSpace) else {}
        return {"tally": dict(vars(self.tally)), **parts, **grown}

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Go on from what `state_dict` wrote; where the journal has lost lines since, from the start, by replay.

        Raises:
            StateError: the optimizer's state is of another optimizer, dimension or library version.
        """
        tally = Tally(**state["tally"])  # type: ignore[arg-type]
        if tally.number > len(self._journal):
            log.warning("the journal ends before the checkpoint; the search is replayed from its start")
            return
        self.optimizer.load_state_dict(state["optimizer"])  # type: ignore[arg-type]
        self.selection.load_state_dict(state["selection"])  # type: ignore[arg-type]
        if isinstance(space := self.objective.space, GrowingSpace):
            space.load_state_dict(state["space"])  # type: ignore[arg-type]
        self.tally = tally
        self._generation = self.tally.generation
        self._used = reduce(add, (evaluation.usage for evaluation in self.history), Usage())
        self.objective.learn(self.history)

    def _score_start(self) -> None:
        """The candidate of zeros, which is the starting prompt, on all splits."""
        first = price_of_start(self._task, self._of_generation, self.rules.finalists)
        self.budget.check_start(self.tally.spent + first + self.rules.reserve)
        start = np.zeros((1, self.optimizer.dimension))
        self._consider(start, self._score(start, self._task.train))
        self.test(self.selection.chosen)
        if self._ended:
            raise BudgetError(f"the budget ends before the starting prompt is scored on all rows ({self._ended})")

    def _step(self) -> None:
        """One generation. Where a limit ends it, what was paid for still takes part in the selection."""
        self._generation = self.tally.generation + 1
        candidates = self._asked()
        if candidates is None:
            return
        evaluations = self._score_unless_start(candidates)
        self._select(candidates, evaluations)
        if self._ended:
            return
        if isinstance(self.optimizer, LearnsFromRows):
            self.optimizer.tell_rows(candidates, self._row_losses(evaluations))
        self.optimizer.tell(candidates, np.array([self._loss(evaluation) for evaluation in evaluations]))
        if self.rules.by_mean:
            self._consider_mean()
        if self._ended:
            return
        self.tally.generation += 1
        self._save(self)
        for callback in self._callbacks:
            callback.on_generation(self.progress())

    def _asked(self) -> Candidates | None:
        """The next generation; None where a limit stands in front of it. Asking may take a model's time and money."""
        if self._no_time_to_ask():
            self._ended = "seconds"
            return None
        began = self.elapsed
        try:
            candidates = self.optimizer.ask()
        except SpentError as error:
            log.warning("the budget is used up: %s", error)
            self._ended = error.limit
            return None
        self.tally.asking = max(self.tally.asking, self.elapsed - began)
        return candidates

    def _score_unless_start(self, candidates: Candidates) -> list[Evaluation]:
        """A blockwise search begins with the starting prompt, which is scored already."""
        start = self._journal[0]
        if len(candidates) == 1 and candidate_digest(candidates[0]) == start.candidate:
            return [start]
        return self._score(candidates, self._rows())

    def _rows(self) -> Split:
        """What the candidates of the generation are scored on."""
        if self._samples:
            return self._samples.of(self._generation)
        train = self._task.train
        return train.sample(range(len(train))) if self.rules.by_mean else train

    def _select(self, candidates: Candidates, evaluations: Sequence[Evaluation]) -> None:
        """Let the generation take part in the selection; where it met a sample of the rows, its best, on all rows."""
        if self.rules.by_mean:
            return
        if not self._samples:
            self._consider(candidates, evaluations)
        elif not self._ended and evaluations[0].number:
            losses = [self._loss(evaluation) for evaluation in evaluations]
            i = int(np.argmin(losses))
            if losses[i] < math.inf and not self._known_on_train(evaluations[i].candidate):
                self._consider(candidates[[i]], self._score(candidates[[i]], self._task.train))

    def _known_on_train(self, candidate: str) -> bool:
        """Whether all training rows have been scored behind a candidate, by its digest."""
        return any(known.candidate == candidate and known.split == "train" for known in self.history)

    def _consider_mean(self) -> None:
        """Let the mean of the search distribution take part in the selection."""
        mean = self.optimizer.mean
        if mean is None or candidate_digest(mean) == self._journal[0].candidate:
            return
        self._at_mean = True
        self._consider(mean[None], self._score(mean[None], self._task.train))
        self._at_mean = False

    def _consider(self, candidates: Candidates, evaluations: Sequence[Evaluation]) -> None:
        """Take note of training evaluations; where one is the best so far, look at the finalists on the dev rows."""
        choices = [
            Choice(candidate, found)
            for candidate, found in zip(candidates, evaluations, strict=False)
            if math.isfinite(self._loss(found)) or found.number == 0
        ]
        choices.sort(key=lambda choice: choice.evaluation.loss)
        if not choices or not self.selection.consider_train(choices[0]):
            return
        self.tally.last_gain = self.tally.spent
        if len(self._task.dev):
            for choice in choices[: self.rules.finalists]:  # one by one: where the budget ends, the first are looked at
                looked = self._score(choice.candidate[None], self._task.dev)
                if not looked:
                    break
                self.selection.consider_dev(Choice(choice.candidate, looked[0]))

    def _score(self, candidates: Candidates, split: Split) -> list[Evaluation]:
        """Score candidates slice by slice, from the journal where it has the answers; fewer where a limit ends it."""
        size = self.rules.slice_size
        parts = deque(candidates[first : first + size] for first in range(0, len(candidates), size))
        evaluations: list[Evaluation] = []
        self.objective.prepare(candidates)
        while parts and not self._ended_before(split) and (answers := self._known(parts[0])):
            parts.popleft()
            evaluations.extend(self._taken(answers, split))
        try:
            for part, outcomes in zip(parts, self.objective.slices(self._in_time(parts, split), split), strict=False):
                evaluations.extend(self._taken(self._written(part, outcomes, split), split))
        except SpentError as error:
            log.warning("the budget is used up: %s", error)
            self._ended = error.limit
        return evaluations

    def _taken(self, answers: list[Evaluation], split: Split) -> list[Evaluation]:
        """Take note of the evaluations of a slice."""
        earlier = self._journal[self.tally.number - 1].elapsed if self.tally.number else 0.0
        self.objective.learn(answers)
        self.tally.took(split.name, answers[-1].elapsed - earlier, len(answers))
        self.tally.number += len(answers)
        self._used = reduce(add, (answer.usage for answer in answers), self._used)
        self.tally.spent += self._counted(split, len(answers))
        for callback in self._callbacks:
            callback.on_evaluations(tuple(answers), self.progress())
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
            ahead = drawn - self.tally.number + self.rules.reserve
            if split.source == "train" and self._late(ahead, asking=0.0):
                self._ended = "seconds"
                return
            yield part

    def _loss(self, evaluation: Evaluation) -> float:
        """What the optimizer is told: a mean over fewer rows than the start's compares with nothing, it has failed."""
        return evaluation.loss if evaluation.failed_rows <= self._journal[0].failed_rows else math.inf

    def _row_losses(self, evaluations: Sequence[Evaluation]) -> Candidates:
        """Shape (n, n_rows), NaN where a row has none; what the journal says, so that a resumed run tells the same."""
        nothing = (None,) * len(self._task.train)
        return np.array([evaluation.row_losses or nothing for evaluation in evaluations], dtype=np.float64)

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
            self._ended = "seconds"
        return ended

    def _no_time_to_ask(self) -> bool:
        if self.budget.seconds is None:
            return False
        if self.tally.number < len(self._journal):
            return self._ended_before(self._task.train)
        return self._late(1 + self.rules.reserve, self.tally.asking)

    def _evaluation(self, number: int, split: Split, digest: str, outcome: Outcome) -> Evaluation:
        of_other_splits = {} if split is self._task.train else {"prompt": None}
        return Evaluation(
            number=number,
            split=split.name,
            generation=self._generation,
            block=None if self._at_mean else self._block(),
            candidate=digest,
            elapsed=self.elapsed,
            **{**vars(outcome), **({} if self._learns_from(split) else {"row_losses": None}), **of_other_splits},
        )

    def _learns_from(self, split: Split) -> bool:
        return split is self._task.train and isinstance(self.optimizer, LearnsFromRows)

    def _stop_reason(self) -> str | None:
        chosen = self.selection.chosen
        if self._ended:
            return self._ended
        if stopped := self.optimizer.stop():
            return f"optimizer ({', '.join(stopped)})"
        figure = chosen.evaluation.figure if chosen else None
        if self.rules.target and figure and figure.reaches(self.rules.target):
            return "target"
        if self.rules.patience and self.tally.spent - self.tally.last_gain >= self.rules.patience:
            return "patience"
        ahead = self._of_generation + self._looks + self.rules.reserve
        if self.tally.spent + ahead > self.budget.evaluations:
            return "evaluations"
        return None

    def _late(self, evaluations: int, asking: float) -> bool:
        """Whether asking, a slice, a look at the dev rows and the last scoring of the test rows might take too long."""
        return self._clock.late(self.tally, evaluations + self._looks, asking=asking)

    @property
    def _of_generation(self) -> int:
        """What a generation counts at most."""
        sample = self._samples.size if self._samples else None
        again = self.rules.by_mean or sample is not None
        return price_of_generation(self._task, self.optimizer.population_size, sample=sample, again=again)

    @property
    def _looks(self) -> int:
        """What looking at the finalists of a generation counts."""
        return self.rules.finalists * price(self._task.dev, self._task)

    def _block(self) -> int | None:
        return self.optimizer.block if isinstance(self.optimizer, Blockwise) else None
