"""One run from its parts to its result, kept up to date in its folder on the way."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from blackbox.backends import MeteredBackend, Prompt
from blackbox.budget import Budget
from blackbox.callbacks import Callback
from blackbox.elites import ElitesObjective
from blackbox.errors import BlackboxError, SettingError
from blackbox.evaluation import Evaluation
from blackbox.filling import Prediction
from blackbox.finishing.finished import AS_FOUND
from blackbox.finishing.outcome import handed_out
from blackbox.finishing.plan import Plan
from blackbox.finishing.stage import Finishing, decoded
from blackbox.journal import Journal
from blackbox.make_executor import make_executor
from blackbox.objective import OF_VECTORS, Objective
from blackbox.parts import Parts, races
from blackbox.prediction import Predictor
from blackbox.racing_objective import RacingObjective
from blackbox.run_folder import RunFolder
from blackbox.saved_prompt import SavedPrompt
from blackbox.search import Search
from blackbox.seeds import part_seed
from blackbox.selecting import row_samples
from blackbox.selection import Selection
from blackbox.spaces import prompt_of
from blackbox.stop_rules import StopRules
from blackbox.summary import Summary, summarize
from blackbox.tables import Rows
from blackbox.tracking import tracked

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Result:
    """What a run found.

    Attributes:
        saved: the selected prompt with its model, template and scores; `saved.save(folder)` keeps it.
        summary: figures and costs.
        history: every evaluation, in order.
        predictor: the selected prompt in front of its model.
    """

    saved: SavedPrompt
    summary: Summary
    history: tuple[Evaluation, ...]
    predictor: Predictor

    @property
    def prompt(self) -> Prompt:
        """The selected prompt."""
        return self.saved.prompt

    def predict(self, rows: Rows) -> list[Prediction]:
        """Labels with probabilities, or written texts, for rows with the template's fields; see `Predictor.predict`."""
        return self.predictor.predict(rows)


def make_objective(parts: Parts) -> Objective:
    """What the candidates of a run are scored by, in this process."""
    config, of = parts.config, (parts.task, parts.backend, parts.space)
    if races(config, parts.space):
        return RacingObjective(*of, seed=part_seed(config.seed, "race"), slice_size=_cut(parts))
    if parts.exact is None:
        return Objective(*of, slice_size=_cut(parts))
    return ElitesObjective(*of, exact=parts.exact, elites=config.elites, slice_size=_cut(parts))


@contextmanager
def _shared_out(parts: Parts) -> Iterator[Objective]:
    """The objective with the workers that the settings name."""
    objective = make_objective(parts)
    executor = make_executor(parts.config, objective.scorer, parts.optimizer.population_size)
    try:
        yield replace(objective, executor=executor)
    finally:
        executor.close()


def _cut(parts: Parts) -> int | None:
    """Prompts of one call of the backend: the same for any number of workers, since a call's rounding depends on it.

    Not so of an endpoint, which asks each row on its own, and as many at once as it may.
    """
    return None if isinstance(parts.backend, MeteredBackend) else parts.config.slice_size


def make_search(
    parts: Parts,
    journal: Journal,
    objective: Objective | None = None,
    *,
    run_folder: RunFolder | None = None,
    callbacks: Sequence[Callback] = (),
) -> Search:
    """The search of a run, at its start; with a folder it saves its state there after each generation."""
    config = parts.config
    objective = objective or make_objective(parts)
    racing = races(config, parts.space)
    slice_size = parts.optimizer.population_size if objective.whole else config.slice_size
    plan = Plan.of(config)
    search = Search(
        objective,
        parts.optimizer,
        budget=Budget(config.evaluations, config.seconds),
        rules=StopRules(
            config.target,
            config.patience,
            slice_size,
            finalists=config.finalists if racing else 1,
            reserve=plan.price(parts.task) if plan else 0,
            by_mean=config.select == "mean",
        ),
        journal=journal,
        callbacks=callbacks,
        save=_Keeper(parts, run_folder) if run_folder else lambda search: None,
        finish=Finishing(plan, parts.task, parts.space, parts.exact or parts.backend),
        writer=parts.writer,
        samples=row_samples(config, parts.task),
    )
    most = plan.ensemble if isinstance(parts.space, OF_VECTORS) else None  # of texts, several candidates may be one
    search.selection = Selection(keeps_looks=bool(plan.ensemble), most_looks=most)
    for before in (parts.found, parts.opening):
        if before:
            search.before += before.usage
            search.tally.spent += before.evaluations
    return search


def run(parts: Parts, run_folder: RunFolder | None, callbacks: Sequence[Callback]) -> Result:
    """Search, or go on with it, and finish; trackers among the callbacks are told of the beginning and the end."""
    with tracked(callbacks, parts.config, run_folder.path if run_folder else None) as found:
        result = _run(parts, run_folder, callbacks)
        found(result.summary)
    return result


def _run(parts: Parts, run_folder: RunFolder | None, callbacks: Sequence[Callback]) -> Result:
    with (
        Journal(run_folder.journal if run_folder else None) as journal,
        _shared_out(parts) as objective,
    ):
        search = make_search(parts, journal, objective, run_folder=run_folder, callbacks=callbacks)
        state = run_folder.load_checkpoint() if run_folder else None
        if state:
            search.load_state_dict(state)
            search.save()
        elif run_folder:
            run_folder.write_summary(summarize(search, status="running"))
        with _failures_written(search, run_folder):
            reason = search.run()
        summary = summarize(search, status="succeeded", stop_reason=reason)
        saved = _saved_prompt(parts, search)
        if run_folder:
            saved.save(run_folder.prompt)
            run_folder.write_report(summary, search.history)
            run_folder.write_summary(summary)  # last: a run that has succeeded has everything
    return Result(saved, summary, search.history, Predictor(parts.backend, saved, metric=parts.task.metric))


def ended(parts: Parts, run_folder: RunFolder) -> Result | None:
    """The result of a run that has succeeded; None where there is something left to do, a torn journal included."""
    summary = run_folder.read_summary()
    if summary.status != "succeeded":
        return None
    with Journal(run_folder.journal) as journal:
        history = journal.evaluations
    if len(history) != summary.entries:
        return None
    saved = run_folder.read_prompt()
    return Result(saved, summary, history, Predictor(parts.backend, saved, metric=parts.task.metric))


class _Keeper:
    """Keeps a run folder up to date after each generation; the prompt only when another candidate is selected."""

    def __init__(self, parts: Parts, run_folder: RunFolder) -> None:
        self._parts, self._folder = parts, run_folder
        self._kept: str | None = None

    def __call__(self, search: Search) -> None:
        self._folder.save_checkpoint(search.state_dict())
        self._folder.write_summary(summarize(search, status="running"))
        chosen = search.selection.chosen
        if chosen and chosen.evaluation.candidate != self._kept:
            _saved_prompt(self._parts, search).save(self._folder.prompt)
            self._kept = chosen.evaluation.candidate


@contextmanager
def _failures_written(search: Search, run_folder: RunFolder | None) -> Iterator[None]:
    """A run that is stopped by the user or by an error says so in its summary, if that can be written."""
    try:
        yield
    except BaseException as error:
        if run_folder:
            interrupted = isinstance(error, KeyboardInterrupt)
            status, reason = (
                ("interrupted", "the user") if interrupted else ("failed", f"{type(error).__name__}: {error}")
            )
            summary = summarize(search, status=status, stop_reason=reason)
            try:
                run_folder.write_summary(summary)
                run_folder.write_report(summary, search.history)
            except (BlackboxError, OSError) as second:  # the first error is the one to be told
                log.error("%s: the end of the run could not be written down: %s", run_folder.path, second)
        raise


def _saved_prompt(parts: Parts, search: Search) -> SavedPrompt:
    chosen = search.selection.chosen
    if chosen is None:
        raise SettingError("the search has not scored its start yet")
    handed = handed_out(search.history, chosen.evaluation.candidate)
    task = parts.task
    if handed and handed.tried:
        prompt, finished = decoded(search, handed.tried, parts.space)
        task = task.changed(verbalizer=handed.tried.readout) if handed.tried.readout else task
    else:
        prompt, finished = prompt_of(parts.space, chosen.candidate), AS_FOUND
    summary = summarize(search, status="running")
    scores = {
        "train_loss": summary.train_loss,
        "dev": summary.dev and vars(summary.dev),
        "dev_loss": summary.dev_loss,
    }
    return SavedPrompt.of(prompt, backend=parts.backend, task=task, scores=scores, finished=finished)
