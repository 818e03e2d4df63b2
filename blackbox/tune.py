"""The two calls of the library: `tune` starts a run, `resume` goes on with one."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blackbox.backends import Backend, Prompt
from blackbox.budget import Budget
from blackbox.build import check_names, check_template, make_backend, make_optimizer, make_space
from blackbox.callbacks import Callback
from blackbox.config import Config, TaskSettings, make_config
from blackbox.data import load_task
from blackbox.errors import BlackboxError, SettingError
from blackbox.evaluation import Evaluation
from blackbox.journal import Journal
from blackbox.objective import Objective
from blackbox.optimizers import Optimizer
from blackbox.prediction import Prediction, Predictor
from blackbox.run_folder import RunFolder
from blackbox.saved_prompt import SavedPrompt
from blackbox.search import Search, StopRules
from blackbox.seeds import part_seed
from blackbox.spaces import PromptSpace
from blackbox.summary import Summary, summarize
from blackbox.task import RawRow, Task

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

    def predict(self, rows: Sequence[RawRow]) -> list[Prediction]:
        """Labels with probabilities for rows that have the template's fields."""
        return self.predictor.predict(rows)


@dataclass(frozen=True, eq=False)
class Parts:
    """What a run is made of. Parts that are given as objects must be given again when the run is resumed."""

    config: Config
    task: Task
    backend: Backend
    space: PromptSpace
    optimizer: Optimizer


def tune(
    task: Task | None = None,
    *,
    backend: Backend | str | None = None,
    space: PromptSpace | str | None = None,
    optimizer: Optimizer | str | None = None,
    folder: str | Path | None = None,
    callbacks: Sequence[Callback] = (),
    **settings: Any,
) -> Result:
    """Search for the prompt with the lowest loss on a task.

    Args:
        task: the rows and what is asked of them; None reads the files that the settings name.
        backend, space, optimizer: an object, or the name of one; None is the setting's default.
        folder: a run folder to be made; None keeps everything in memory.
        callbacks: what watches.
        settings: the fields of `blackbox.Config`: model, prompt, layers, dimension, evaluations, seed, ...

    Raises:
        BlackboxError, BackendError, OptimizerError: wrong input, before anything is spent.
        KeyboardInterrupt: the user stopped the run; its folder is ready to be resumed.
    """
    run_folder = RunFolder(folder) if folder is not None else None
    if run_folder:
        run_folder.check_free()
    given = {"backend": backend, "space": space, "optimizer": optimizer}
    config = make_config({**settings, **{key: name for key, name in given.items() if isinstance(name, str)}})
    if task is not None and (doubled := sorted(TaskSettings.model_fields.keys() & settings.keys())):
        raise SettingError(f"setting {doubled[0]!r} belongs to the task, and a task is given; set it there")
    parts = make_parts(config, task, backend=backend, space=space, optimizer=optimizer)
    if run_folder:
        run_folder.create(parts.config, parts.task, parts.backend, parts.space, given=_objects(given))
    return _run(parts, run_folder, callbacks)


def resume(
    folder: str | Path,
    *,
    backend: Backend | None = None,
    space: PromptSpace | None = None,
    optimizer: Optimizer | None = None,
    callbacks: Sequence[Callback] = (),
) -> Result:
    """Go on with a run that was stopped or killed; it ends as it would have without that.

    Of a run that has ended already, the result is read from its folder.

    Args:
        folder: the run's folder.
        backend, space, optimizer: the objects that `tune` was given, if it was.
        callbacks: what watches.

    Raises:
        RunError: the folder holds no run, a damaged one, one of another model, task, space or version, one that was
            started with an object that is not given, or one that another process is working on.
    """
    run_folder = RunFolder(folder)
    config, task = run_folder.read_config(), run_folder.read_task()
    run_folder.check_given(_objects({"backend": backend, "space": space, "optimizer": optimizer}))
    parts = make_parts(config, task, backend=backend, space=space, optimizer=optimizer)
    run_folder.check_environment(parts.task, parts.backend, parts.space)
    return _ended(parts, run_folder) or _run(parts, run_folder, callbacks)


def make_parts(
    config: Config,
    task: Task | None = None,
    *,
    backend: Backend | str | None = None,
    space: PromptSpace | str | None = None,
    optimizer: Optimizer | str | None = None,
) -> Parts:
    """The parts of a run: those that are given as objects, and the settings' own for the rest.

    The settings of the task in `Parts.config` are the task's own, also where it was built in code.

    Raises:
        BlackboxError, BackendError, OptimizerError: parts that cannot work, alone or together.
    """
    check_names(config)
    task = task or load_task(config)
    config = config.model_copy(update=task.terms)
    if backend is None or isinstance(backend, str):
        backend = make_backend(config)
    check_template(backend, task.template)
    if space is None or isinstance(space, str):
        space = make_space(backend, task, config)
    if optimizer is None or isinstance(optimizer, str):
        optimizer = make_optimizer(config.optimizer, space.blocks, config, part_seed(config.seed, "optimizer"))
    if optimizer.dimension != space.dimension:
        raise SettingError(f"the optimizer has dimension {optimizer.dimension}, the space {space.dimension}")
    parts = Parts(config, task, backend, space, optimizer)
    make_search(parts, Journal()).check_budget()
    return parts


def make_search(
    parts: Parts, journal: Journal, *, run_folder: RunFolder | None = None, callbacks: Sequence[Callback] = ()
) -> Search:
    """The search of a run, at its start; with a folder it saves its state there after each generation."""
    config = parts.config
    return Search(
        Objective(parts.task, parts.backend, parts.space),
        parts.optimizer,
        budget=Budget(config.evaluations, config.seconds),
        rules=StopRules(config.target, config.patience, config.slice_size),
        journal=journal,
        callbacks=callbacks,
        save=_Keeper(parts, run_folder) if run_folder else lambda search: None,
    )


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


def _objects(parts: Mapping[str, object]) -> list[str]:
    """The parts that are given as objects, not by name."""
    return [name for name, part in parts.items() if part is not None and not isinstance(part, str)]


def _ended(parts: Parts, run_folder: RunFolder) -> Result | None:
    """The result of a run that has succeeded; None where there is something left to do, a torn journal included."""
    summary = run_folder.read_summary()
    if summary.status != "succeeded":
        return None
    with Journal(run_folder.journal) as journal:
        history = journal.evaluations
    if sum(evaluation.usage.requests for evaluation in history) != summary.requests:
        return None
    saved = run_folder.read_prompt()
    return Result(saved, summary, history, Predictor(parts.backend, saved))


def _run(parts: Parts, run_folder: RunFolder | None, callbacks: Sequence[Callback]) -> Result:
    with Journal(run_folder.journal if run_folder else None) as journal:
        search = make_search(parts, journal, run_folder=run_folder, callbacks=callbacks)
        state = run_folder.load_checkpoint() if run_folder else None
        if state:
            search.load_state_dict(state)
        if run_folder:
            run_folder.write_summary(summarize(search, status="running"))
        with _failures_written(search, run_folder):
            reason = search.run()
        summary = summarize(search, status="succeeded", stop_reason=reason)
        saved = _saved_prompt(parts, search)
        if run_folder:
            saved.save(run_folder.prompt)
            run_folder.write_report(summary, search.history)
            run_folder.write_summary(summary)  # last: a run that has succeeded has everything
    return Result(saved, summary, search.history, Predictor(parts.backend, saved))


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
    prompt = parts.space.decode(chosen.candidate[None])[0]
    summary = summarize(search, status="running")
    scores = {"train_loss": summary.train_loss, "dev": summary.dev and vars(summary.dev)}
    return SavedPrompt.of(prompt, backend=parts.backend, task=parts.task, scores=scores)
