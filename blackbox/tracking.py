"""The trackers of a run: made by name, told of its beginning and its end."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from blackbox.backends import Usage
from blackbox.callbacks import Callback, MLflow, TensorBoard, TrackedRun, Tracker, WandB
from blackbox.callbacks.tracker import cost_of, figures_of
from blackbox.config import Config
from blackbox.errors import SettingError, unknown_name
from blackbox.summary import Summary

TRACKERS: dict[str, Callable[[], Tracker]] = {kind.name: kind for kind in (MLflow, TensorBoard, WandB)}


def make_trackers(names: Sequence[str]) -> list[Tracker]:
    """The trackers of these names, each set up by its environment.

    Raises:
        UnknownNameError: there is none of a name.
        MissingPackageError: the package of one is not installed.
    """
    for name in names:
        if name not in TRACKERS:
            raise unknown_name("tracker", name, TRACKERS)
    return [TRACKERS[name]() for name in dict.fromkeys(names)]


def check_trackers(callbacks: Sequence[Callback]) -> None:
    """Refuse two trackers of a kind: they would share what is known of the run.

    Raises:
        SettingError: there are two.
    """
    names = [callback.name for callback in callbacks if isinstance(callback, Tracker)]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise SettingError(f"a run has one tracker of a kind, and two are {doubled[0]!r}; leave one out")


def public_settings(config: Config) -> dict[str, object]:
    """The settings that have a value, without what a URL may carry besides the place: a login or a query."""
    values = {key: value for key, value in config.model_dump().items() if value not in (None, [], {})}
    for key in (key for key in values if key.endswith("base_url")):
        parts = urlsplit(values[key])
        values[key] = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    return values


@contextmanager
def tracked(callbacks: Sequence[Callback], config: Config, folder: Path | None) -> Iterator[Callable[[Summary], None]]:
    """Begin the runs of the trackers among some callbacks and end them, however the run itself ends.

    Yields:
        What is called with the summary of a run that has succeeded.
    """
    trackers = [callback for callback in callbacks if isinstance(callback, Tracker)]
    run = TrackedRun(folder.resolve().name if folder else "run", public_settings(config), folder)
    figures: dict[str, float] = {}
    for tracker in trackers:
        tracker.begin(run)
    status = "failed"
    try:
        yield lambda summary: figures.update(_figures(summary))
        status = "succeeded"
    except KeyboardInterrupt:
        status = "interrupted"
        raise
    finally:
        for tracker in trackers:
            tracker.end(run, status, figures)


def _figures(summary: Summary) -> dict[str, float]:
    usage = Usage(summary.requests, summary.prompt_tokens, summary.completion_tokens, usd=summary.usd)
    return {
        **({} if summary.train_loss is None else {"train/loss": summary.train_loss}),
        **figures_of("dev", summary.dev_figure),
        **figures_of("test", summary.figure_before, behind="_before"),
        **figures_of("test", summary.figure_after),
        **cost_of(usage, summary.seconds),
    }
