"""The two calls of the library: `tune` starts a run, `resume` goes on with one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from blackbox.backends import Backend
from blackbox.callbacks import Callback, Tracker
from blackbox.config import OF_WORKERS, Config, ExecutorSettings, TaskSettings, make_config
from blackbox.errors import SettingError
from blackbox.optimizers import Optimizer
from blackbox.parts import make_parts
from blackbox.run import Result, ended, run
from blackbox.run_folder import RunFolder
from blackbox.spaces import PromptSpace
from blackbox.task import Task
from blackbox.text_metrics import TextFunction
from blackbox.tracking import check_trackers, make_trackers
from blackbox.verbalizers.setting import SEARCH


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
        callbacks: what watches, besides the trackers that the setting `track` names.
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
    callbacks = _with_trackers(callbacks, config)
    of_task = TaskSettings.model_fields.keys() | (task.terms.keys() if task else ())
    if task is not None and (doubled := sorted(of_task & settings.keys())):
        raise SettingError(f"setting {doubled[0]!r} belongs to the task, and a task is given; set it there")
    files = _files(run_folder) if run_folder else {}
    parts = make_parts(config, task, backend=backend, space=space, optimizer=optimizer, **files)
    if run_folder:
        objects = _objects({**given, "metric": parts.task.metric})
        run_folder.create(
            parts.config,
            parts.given or parts.task,
            parts.backend,
            parts.space,
            given=objects,
            found=parts.found,
            opening=parts.opening,
        )
    return run(parts, run_folder, callbacks)


def resume(
    folder: str | Path,
    *,
    backend: Backend | None = None,
    space: PromptSpace | None = None,
    optimizer: Optimizer | None = None,
    metric: TextFunction | None = None,
    callbacks: Sequence[Callback] = (),
    **executor: Any,
) -> Result:
    """Go on with a run that was stopped or killed; it ends as it would have without that.

    Of a run that has ended already, the result is read from its folder.

    Args:
        folder: the run's folder.
        backend, space, optimizer: the objects that `tune` was given, if it was.
        metric: the function that the task was given, if it was.
        callbacks: what watches.
        executor: settings of `ExecutorSettings` in the place of the run's own: `executor`, `workers`, ...

    Raises:
        SettingError: a setting that is none of an executor.
        RunError: the folder holds no run, a damaged one, one of another model, task, space or version, one that was
            started with an object that is not given, or one that another process is working on.
    """
    run_folder = RunFolder(folder)
    config = _with_executor(run_folder.read_config(), executor)
    callbacks = _with_trackers(callbacks, config)
    run_folder.check_given(_objects({"backend": backend, "space": space, "optimizer": optimizer, "metric": metric}))
    task = run_folder.read_task(metric=metric)
    found = run_folder.read_found_words() if config.verbalizer == SEARCH else None
    kept = {"found": found, "opening": run_folder.opening, **_files(run_folder)}
    parts = make_parts(config, task, backend=backend, space=space, optimizer=optimizer, **kept)
    run_folder.check_environment(parts.given or parts.task, parts.backend, parts.space)
    return ended(parts, run_folder) or run(parts, run_folder, callbacks)


def _files(run_folder: RunFolder) -> dict[str, Any]:
    """Where parts keep what was paid for."""
    return {"answers": run_folder.answers, "proposals": run_folder.proposals}


def _with_trackers(callbacks: Sequence[Callback], config: Config) -> list[Callback]:
    """The callbacks, and those trackers that the settings name and that are none of them."""
    given = {callback.name for callback in callbacks if isinstance(callback, Tracker)}
    together = [*callbacks, *make_trackers([name for name in config.track if name not in given])]
    check_trackers(together)
    return together


def _with_executor(config: Config, executor: Mapping[str, Any]) -> Config:
    if others := sorted(executor.keys() - ExecutorSettings.model_fields.keys()):
        raise SettingError(f"setting {others[0]!r} belongs to the run from its beginning; a new run can have another")
    if not executor:
        return config
    values = {**config.model_dump(), "threads": config.threads_of_worker}  # the results depend on these
    if "executor" in executor:
        values = {name: value for name, value in values.items() if name not in OF_WORKERS}
    return make_config({**values, **executor})


def _objects(parts: Mapping[str, object]) -> list[str]:
    """The parts that are given as objects, not by name."""
    return [name for name, part in parts.items() if part is not None and not isinstance(part, str)]
