"""What the setting `verbalizer` makes of a task."""

from blackbox.backends import Backend, MeteredBackend
from blackbox.config import Config
from blackbox.errors import SettingError
from blackbox.finishing.plan import Plan
from blackbox.task import Task
from blackbox.verbalizers.named_readouts import READOUTS
from blackbox.verbalizers.words import FoundWords

SEARCH = "search"


def with_readout(config: Config, task: Task) -> Task:
    """The task with a readout in the place of label words, where the settings say so; else as it is.

    Raises:
        SettingError: the task has targets, or the settings change the probabilities of label words after the search.
    """
    if config.verbalizer not in READOUTS:
        return task
    plan = Plan.of(config)
    if plan.ensemble or plan.calibrations or plan.templates:
        raise SettingError(
            "setting 'verbalizer': averages and calibrations change the probabilities of label words as they are; "
            "leave ensemble, calibration and templates out (templates with robust = true too)"
        )
    if config.readout == config.verbalizer:
        raise SettingError(f"setting 'readout': the search goes by {config.readout!r} already; leave it out")
    return task.changed(verbalizer=config.verbalizer)


def check_at_hand(config: Config, backend: Backend) -> None:
    """Refuse readouts behind an endpoint: what is handed out is fitted when the calls may all be spent.

    Raises:
        SettingError: the settings name one, and the backend counts what it sends.
    """
    for name in ("verbalizer", "readout"):
        if getattr(config, name) in READOUTS and isinstance(backend, MeteredBackend):
            raise SettingError(
                f"setting {name!r}: {getattr(config, name)!r} is fitted once more when the search has ended, for which "
                "limits of calls keep no room; it needs a model at hand"
            )


def with_words(task: Task, found: FoundWords | None) -> Task:
    """The task with the words that were found, if any were."""
    return task.changed(label_words=dict(zip(task.labels, found.words, strict=True))) if found else task
