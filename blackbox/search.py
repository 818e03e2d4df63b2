"""The search loop: ask, score, write down, tell, select, save, stop.

Whatever is paid for stands in the journal first, and all other state between two generations is in `Search.state_dict`:
a run that was killed goes on from its last checkpoint with the journal's answers and ends as the unbroken run does.
"""

import logging
import math
from collections.abc import Callable, Sequence
from weakref import proxy

import numpy as np

from blackbox.backends import Backend, MeteredBackend, Usage
from blackbox.backends.errors import SpentError
from blackbox.budget import Budget, price_of_generation, price_of_start
from blackbox.callbacks.base import Callback, Progress
from blackbox.errors import BudgetError
from blackbox.evaluation import Evaluation, candidate_digest
from blackbox.journal import Journal
from blackbox.objective import Objective
from blackbox.optimizers import Blockwise, LearnsFromRows, Optimizer
from blackbox.recorder import Candidates, Recorder
from blackbox.row_samples import RowSamples
from blackbox.selection import Choice, Selection
from blackbox.spaces import GrowingSpace
from blackbox.split import Split
from blackbox.stop_rules import StopRules
from blackbox.tally import Tally

log = logging.getLogger(__name__)


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
        recorder: what candidates are scored through.
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
        search = proxy(self)  # a cycle would hold the model's memory after the last reference to the search

        def told(evaluations: tuple[Evaluation, ...]) -> None:
            for callback in callbacks:
                callback.on_evaluations(evaluations, search.progress())

        self.recorder = Recorder(
            objective,
            budget,
            rules,
            journal,
            block=lambda: None if search._at_mean else search._block(),
            keeps_rows=isinstance(optimizer, LearnsFromRows),
            told=told,
        )
        self._task = objective.task
        self._journal, self._callbacks, self._save = journal, callbacks, save
        self._finish = finish or (lambda search: search.test(search.selection.chosen))
        self._at_mean = False  # whether the mean is being scored

    @property
    def tally(self) -> Tally:
        """The counters."""
        return self.recorder.tally

    @property
    def history(self) -> tuple[Evaluation, ...]:
        """The evaluations of this run so far, in order."""
        return self.recorder.history

    @property
    def elapsed(self) -> float:
        """Seconds since the run began, over all its sessions."""
        return self.recorder.elapsed

    @property
    def usage(self) -> Usage:
        """What the run has cost so far; of a model behind an endpoint, all that it has taken."""
        backend, writer = self.objective.backend, self.writer
        if isinstance(backend, MeteredBackend):
            return backend.spent
        return self.recorder.used + self.before + (writer.spent if isinstance(writer, MeteredBackend) else Usage())

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
        tested = self.recorder.score(choice.candidate[None], self._task.test)
        if not tested:
            log.warning("the test rows are not scored behind the selected prompt")
            return None
        self.tally.test_seconds = max(tested[0].usage.seconds, self.elapsed - began)
        return tested[0]

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
            rate=self.recorder.rate,
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
        self.recorder.go_on(tally)

    def _score_start(self) -> None:
        """The candidate of zeros, which is the starting prompt, on all splits."""
        first = price_of_start(self._task, self._of_generation, self.rules.finalists)
        self.budget.check_start(self.tally.spent + first + self.rules.reserve)
        start = np.zeros((1, self.optimizer.dimension))
        self._consider(start, self.recorder.score(start, self._task.train))
        self.test(self.selection.chosen)
        if self.recorder.ended:
            raise BudgetError(
                f"the budget ends before the starting prompt is scored on all rows ({self.recorder.ended})"
            )

    def _step(self) -> None:
        """One generation. Where a limit ends it, what was paid for still takes part in the selection."""
        self.recorder.generation = self.tally.generation + 1
        candidates = self._asked()
        if candidates is None:
            return
        evaluations = self._score_unless_start(candidates)
        self._select(candidates, evaluations)
        if self.recorder.ended:
            return
        if isinstance(self.optimizer, LearnsFromRows):
            self.optimizer.tell_rows(candidates, self._row_losses(evaluations))
        self.optimizer.tell(candidates, np.array([self._loss(evaluation) for evaluation in evaluations]))
        if self.rules.by_mean:
            self._consider_mean()
        if self.recorder.ended:
            return
        self.tally.generation += 1
        self._save(self)
        for callback in self._callbacks:
            callback.on_generation(self.progress())

    def _asked(self) -> Candidates | None:
        """The next generation; None where a limit stands in front of it. Asking may take a model's time and money."""
        if self.recorder.no_time_to_ask():
            self.recorder.ended = "seconds"
            return None
        began = self.elapsed
        try:
            candidates = self.optimizer.ask()
        except SpentError as error:
            log.warning("the budget is used up: %s", error)
            self.recorder.ended = error.limit
            return None
        self.tally.asking = max(self.tally.asking, self.elapsed - began)
        return candidates

    def _score_unless_start(self, candidates: Candidates) -> list[Evaluation]:
        """A blockwise search begins with the starting prompt, which is scored already."""
        start = self._journal[0]
        if len(candidates) == 1 and candidate_digest(candidates[0]) == start.candidate:
            return [start]
        return self.recorder.score(candidates, self._rows())

    def _rows(self) -> Split:
        """What the candidates of the generation are scored on."""
        if self._samples:
            return self._samples.of(self.recorder.generation)
        train = self._task.train
        return train.sample(range(len(train))) if self.rules.by_mean else train

    def _select(self, candidates: Candidates, evaluations: Sequence[Evaluation]) -> None:
        """Let the generation take part in the selection; where it met a sample of the rows, its best, on all rows."""
        if self.rules.by_mean:
            return
        if not self._samples:
            self._consider(candidates, evaluations)
        elif not self.recorder.ended and evaluations[0].number:
            losses = [self._loss(evaluation) for evaluation in evaluations]
            i = int(np.argmin(losses))
            if losses[i] < math.inf and not self._known_on_train(evaluations[i].candidate):
                self._consider(candidates[[i]], self.recorder.score(candidates[[i]], self._task.train))

    def _known_on_train(self, candidate: str) -> bool:
        """Whether all training rows have been scored behind a candidate, by its digest."""
        return any(known.candidate == candidate and known.split == "train" for known in self.history)

    def _consider_mean(self) -> None:
        """Let the mean of the search distribution take part in the selection."""
        mean = self.optimizer.mean
        if mean is None or candidate_digest(mean) == self._journal[0].candidate:
            return
        self._at_mean = True
        self._consider(mean[None], self.recorder.score(mean[None], self._task.train))
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
                looked = self.recorder.score(choice.candidate[None], self._task.dev)
                if not looked:
                    break
                self.selection.consider_dev(Choice(choice.candidate, looked[0]))

    def _loss(self, evaluation: Evaluation) -> float:
        """What the optimizer is told: a mean over fewer rows than the start's compares with nothing, it has failed."""
        return evaluation.loss if evaluation.failed_rows <= self._journal[0].failed_rows else math.inf

    def _row_losses(self, evaluations: Sequence[Evaluation]) -> Candidates:
        """Shape (n, n_rows), NaN where a row has none; what the journal says, so that a resumed run tells the same."""
        nothing = (None,) * len(self._task.train)
        return np.array([evaluation.row_losses or nothing for evaluation in evaluations], dtype=np.float64)

    def _stop_reason(self) -> str | None:
        chosen = self.selection.chosen
        if self.recorder.ended:
            return self.recorder.ended
        if stopped := self.optimizer.stop():
            return f"optimizer ({', '.join(stopped)})"
        figure = chosen.evaluation.figure if chosen else None
        if self.rules.target and figure and figure.reaches(self.rules.target):
            return "target"
        if self.rules.patience and self.tally.spent - self.tally.last_gain >= self.rules.patience:
            return "patience"
        ahead = self._of_generation + self.recorder.looks + self.rules.reserve
        if self.tally.spent + ahead > self.budget.evaluations:
            return "evaluations"
        return None

    @property
    def _of_generation(self) -> int:
        """What a generation counts at most."""
        sample = self._samples.size if self._samples else None
        again = self.rules.by_mean or sample is not None
        return price_of_generation(self._task, self.optimizer.population_size, sample=sample, again=again)

    def _block(self) -> int | None:
        return self.optimizer.block if isinstance(self.optimizer, Blockwise) else None
