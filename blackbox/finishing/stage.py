"""The stage between the end of a search and its summary: what is tried with the prompt, kept if clearly better.

First an ensemble of prompts, then an average over templates, then the calibrations, each with the best before it; then
the selected prompt alone with a readout of hidden states in the place of its label words.

Attempts stand in the journal like all evaluations, with what they were (`blackbox.tried`), so that a run that was
killed goes on with them; what is handed out is told by the history (`blackbox.finishing.outcome`).
"""

import logging
from dataclasses import dataclass, replace
from functools import partial

from blackbox.asking import Asked, ask
from blackbox.backends import Backend, Prompt, TextPrompt, Usage
from blackbox.backends.errors import QueryError
from blackbox.evaluation import Evaluation
from blackbox.finishing.finished import Finished
from blackbox.finishing.offsets import measured_offsets
from blackbox.finishing.outcome import handed_out, over_templates
from blackbox.finishing.plan import READ, Plan, attempt_price
from blackbox.outcome import Outcome, outcome_of
from blackbox.search import Search
from blackbox.selection import Choice, dev_rank
from blackbox.spaces import PromptSpace, prompt_of
from blackbox.split import Split
from blackbox.task import Task
from blackbox.tried import PLAIN, Tried
from blackbox.verbalizers.grader import readout_grader

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Finishing:
    """See the module; called with a search that has ended, it tries what is planned and scores the test rows.

    Attributes:
        plan: what to try.
        task: with the rows.
        space: of the search.
        backend: the one that looks at the dev rows were made with.
    """

    plan: Plan
    task: Task
    space: PromptSpace
    backend: Backend

    def __call__(self, search: Search) -> None:
        """Try what is planned, then score what is handed out on the test rows."""
        if self.plan and search.selection.dev:
            self._try_all(search, search.selection.dev)
        handed = _handed_out(search)
        if handed is None or handed.tried is None:
            search.test(search.selection.chosen)
        elif len(self.task.test):
            self._score(search, handed.tried, self.task.test, counts=0)
        looked = over_templates(search.history, "dev")
        if looked and looked.tried and len(self.task.test) and not over_templates(search.history, "test"):
            self._score(search, looked.tried, self.task.test, counts=0)

    def _try_all(self, search: Search, selected: Choice) -> None:
        members = best_members(selected, search.selection.looks, self.plan.ensemble, self.space)
        if len(members) > 1:
            self._score(search, Tried(tuple(_digest(one) for one in members)), self.task.dev)
        elif self.plan.ensemble:
            log.warning("no ensemble: the search has looked at one prompt only on the dev rows")
        handed = _handed_out(search)
        best = handed.tried if handed and handed.tried else Tried((_digest(selected),))
        if self.plan.templates:
            self._score(search, replace(best, templates=self.plan.templates), self.task.dev)
            handed = _handed_out(search)
            best = handed.tried if handed and handed.tried else best
        for way in self.plan.calibrations:
            self._score(search, replace(best, calibration=way), self.task.dev)
        if self.plan.readout:
            self._score(search, Tried((_digest(selected),), readout=self.plan.readout), self.task.dev)

    def _score(self, search: Search, tried: Tried, split: Split, counts: int | None = None) -> None:
        """One evaluation; a warning where the budget does not allow it, or where there is nothing to be scored."""
        way = READ if tried.readout else tried.calibration
        count = attempt_price(self.task, way, tried.asks) if counts is None else counts
        outcome = partial(self._outcome, search, tried, split)
        if search.recorder.add(tried.digest, split, outcome, counts=count, prompts=tried.asks) is None:
            what = "a readout" if tried.readout else "a calibration" if tried.calibration != PLAIN else "an ensemble"
            log.warning("%s is not scored on the %s rows", what, split.name)

    def _outcome(self, search: Search, tried: Tried, split: Split) -> Outcome | None:
        prompt, finished = decoded(search, tried, self.space)
        if tried.readout:
            grader = readout_grader(self.task.grader, self.task.train, self.task.dev, tried.readout)
            [asked] = ask(self.backend, grader, [prompt], split, [range(len(split))])
            return replace(outcome_of(asked, prompt, n_rows=len(split), shown=0), tried=tried)
        usage = Usage()
        if tried.calibration != PLAIN and tried.offsets is None:
            try:
                offsets, usage = measured_offsets(tried.calibration, self.backend, self.task, prompt, finished)
            except QueryError as error:
                log.warning("the model cannot read a row without content: %s", error)
                return None
            if offsets is None:
                return None
            tried = replace(tried, offsets=tuple(offsets.tolist()))
            finished = replace(finished, offsets=tried.offsets)
        rows = range(len(split))
        scores, cost = finished.all_answers(self.backend, self.task.grader, prompt, split, rows)
        answers = finished.joined_answers(scores)
        if tried.templates:
            tried = replace(tried, of_templates=finished.of_templates(scores))
        found = outcome_of(Asked(tuple(rows), answers, usage + cost), prompt, n_rows=len(split), shown=0)
        return replace(found, tried=tried)


def decoded(search: Search, tried: Tried, space: PromptSpace) -> tuple[Prompt, Finished]:
    """The prompt of what was tried and what is done to it, from the candidates that the search has looked at."""
    selected = [choice for choice in (search.selection.dev,) if choice]
    candidates = {_digest(look): look.candidate for look in [*selected, *search.selection.looks]}
    prompts = [prompt_of(space, candidates[member]) for member in tried.members]
    members = tuple(prompts) if len(prompts) > 1 else ()
    return prompts[0], Finished(members, tried.offsets, tried.templates)


def best_members(selected: Choice, looks: list[Choice], count: int, space: PromptSpace) -> list[Choice]:
    """The selected candidate, then the best others by their looks at the dev rows, as many as are distinct prompts.

    Candidates of one text are one; vectors are told apart by their candidates.
    """
    found: dict[Prompt | str, Choice] = {}
    for look in [selected, *sorted(looks, key=lambda look: dev_rank(look.evaluation))]:
        if len(found) < count and look.evaluation.figure:
            prompt = prompt_of(space, look.candidate)
            found.setdefault(prompt if isinstance(prompt, TextPrompt) else _digest(look), look)
    return list(found.values())


def _handed_out(search: Search) -> Evaluation | None:
    chosen = search.selection.chosen
    return handed_out(search.history, chosen.evaluation.candidate) if chosen else None


def _digest(choice: Choice) -> str:
    return choice.evaluation.candidate
