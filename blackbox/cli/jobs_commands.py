"""`blackbox jobs submit | list | watch | cancel | pause | resume | result`: the jobs of a service."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from blackbox.cli.console import err, out
from blackbox.cli.settings_options import with_settings
from blackbox.client import Client, Event, Job
from blackbox.config import (
    LIMITS,
    EndpointSettings,
    ExecutorSettings,
    FinishingSettings,
    ModelSettings,
    OptimizerSettings,
    RunSettings,
    SpaceSettings,
    TaskSettings,
    read_settings,
)
from blackbox.errors import SettingError
from blackbox.metrics import UNITS
from blackbox.text_prompts import instructions, prompt_to_dict, text_prompts

jobs = typer.Typer(help="Jobs of a service: submit, list, watch, cancel, pause, resume, result.", no_args_is_help=True)

_FILES = {"train": "training_file", "dev": "dev_file", "test": "test_file"}

UrlOption = Annotated[
    str | None,
    typer.Option(
        envvar="BLACKBOX_URL", show_envvar=True, show_default=False, help="Of the service; default: this machine's."
    ),
]
JobArgument = Annotated[str, typer.Argument(help="A job's id, e.g. job-0193f2a5c1d87b3e.", show_default=False)]
PairsOption = Annotated[
    list[str] | None, typer.Option("--metadata", help="key=value; may be given several times.", show_default=False)
]


class SearchedSettings(TaskSettings, SpaceSettings, OptimizerSettings, FinishingSettings, RunSettings):
    """The settings that a job may have."""


@jobs.command()
@with_settings(SearchedSettings)
def submit(
    config: Annotated[
        Path | None, typer.Argument(help="Settings in TOML; options replace them.", show_default=False)
    ] = None,
    *,
    backend: Annotated[
        str | None, typer.Option(help="A model of the service, by its name.", show_default=False)
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="For people; default: the config's name.", show_default=False)
    ] = None,
    metadata: PairsOption = None,
    watch: Annotated[bool, typer.Option("--watch", help="Print what happens until the job has ended.")] = False,
    url: UrlOption = None,
    **settings: Any,
) -> None:
    """Hand in a search: its files are uploaded, its id goes to stdout. $BLACKBOX_TOKEN holds the token, if any."""
    values = {**(read_settings(config) if config else {}), **settings}
    files = {_FILES[key]: values.pop(key) for key in _FILES if values.get(key)}
    if "training_file" not in files:
        raise SettingError("no training rows: set `train` to a .jsonl or .csv file")
    if not backend:
        raise SettingError("no model: name one of the service's with --backend")
    body = _inline(_without_the_operators(values))
    pairs = _pairs(metadata)
    with Client(url) as client:
        ids = {key: client.files.upload(path).id for key, path in files.items()}
        job = client.jobs.create(
            backend=backend,
            settings=body,
            name=name or (config.stem if config else None),
            metadata=pairs,
            training_file=ids["training_file"],
            dev_file=ids.get("dev_file"),
            test_file=ids.get("test_file"),
        )
        sys.stdout.write(job.id + "\n")
        sys.stdout.flush()
        if watch:
            _watch(client, job.id, after=0)


@jobs.command(name="list")
def list_jobs(
    *,
    status: Annotated[
        list[str] | None, typer.Option(help="Only jobs with this status; may be given several times.")
    ] = None,
    metadata: PairsOption = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="The newest ones.")] = 20,
    url: UrlOption = None,
) -> None:
    """Print jobs, the newest first."""
    table = Table("job", "name", "status", "evaluations", "train loss", "dev", "USD")
    with Client(url) as client:
        for job in client.jobs.list(limit=limit, status=status, metadata=_pairs(metadata)).data:
            progress = job.progress
            table.add_row(
                job.id,
                Text(job.name or ""),
                job.status,
                f"{progress['evaluations']:,} of {job.budget['evaluations']:,}",
                _number(progress["train_loss"]),
                _dev(progress["dev"]),
                f"{progress['usd']:.4f}",
            )
    out.print(table)


@jobs.command()
def watch(
    job: JobArgument,
    *,
    after: Annotated[int, typer.Option(min=0, help="Number of the last event that is known already.")] = 0,
    url: UrlOption = None,
) -> None:
    """Print what happens to a job until it has ended; exit code 1 if it has failed."""
    with Client(url) as client:
        _watch(client, job, after=after)


@jobs.command()
def cancel(job: JobArgument, *, url: UrlOption = None) -> None:
    """End a job; what it has found is kept."""
    with Client(url) as client:
        _say(client.jobs.cancel(job))


@jobs.command()
def pause(job: JobArgument, *, url: UrlOption = None) -> None:
    """Stop a job behind its present generation, to go on later."""
    with Client(url) as client:
        _say(client.jobs.pause(job))


@jobs.command()
def resume(job: JobArgument, *, url: UrlOption = None) -> None:
    """Let a paused job go on."""
    with Client(url) as client:
        _say(client.jobs.resume(job))


@jobs.command()
def result(
    job: JobArgument,
    *,
    output: Annotated[
        Path | None, typer.Option(help="Write the saved prompt's files to this .zip.", show_default=False)
    ] = None,
    url: UrlOption = None,
) -> None:
    """Print what a job has found as JSON, or download the prompt."""
    with Client(url) as client:
        if output is not None:
            client.jobs.download(job, output)
            return
        found = client.jobs.result(job)
    values = {
        "status": found.status,
        "stop_reason": found.stop_reason,
        "summary": found.summary,
        "prompt": found.prompt,
    }
    sys.stdout.write(json.dumps(values, ensure_ascii=False, indent=2) + "\n")


def _without_the_operators(values: dict[str, Any]) -> dict[str, Any]:
    """Settings without those that the service's operator has for each model; says which they are."""
    operators = {*ModelSettings.model_fields, *EndpointSettings.model_fields, *ExecutorSettings.model_fields}
    if left := sorted(values.keys() & (operators - {"answer_tokens", *LIMITS})):
        err.print(f"left to the service, whose models have them: {', '.join(left)}", markup=False, highlight=False)
    return {name: value for name, value in values.items() if name not in left}


def _inline(values: dict[str, Any]) -> dict[str, Any]:
    """Settings with the prompts and instructions of files in their place: a service reads no files by their names."""
    found = dict(values)
    if isinstance(found.get("prompts"), str):
        found["prompts"] = [prompt_to_dict(p) for p in text_prompts(found["prompts"], role=found.get("role", "user"))]
    if isinstance(found.get("instructions"), str):
        found["instructions"] = instructions(found["instructions"], start=None, general=())
    if isinstance(found.get("label_words"), str):
        found["label_words"] = TaskSettings(label_words=found["label_words"]).label_words  # type: ignore[call-arg]
    return found


def _pairs(given: list[str] | None) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in given or []]
    if wrong := [key for key, equals, _ in pairs if not equals or not key]:
        raise SettingError(f"--metadata must look like key=value, got {wrong[0]!r}")
    return {key: value for key, _, value in pairs}


def _watch(client: Client, job: str, *, after: int) -> None:
    for event in client.jobs.watch(job, after=after):
        _print(event)
    ended = client.jobs.get(job)
    _say(ended)
    if ended.status == "failed":
        raise typer.Exit(1)


def _print(event: Event) -> None:
    out.print(f"{event.id:>4}  {event.type:<14} {event.message}", markup=False, highlight=False, soft_wrap=True)


def _say(job: Job) -> None:
    why = f" ({job.error or job.stop_reason})" if job.error or job.stop_reason else ""
    err.print(f"{job.id} is {job.status}{why}", markup=False, highlight=False, soft_wrap=True)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _dev(figure: dict[str, Any] | None) -> str:
    if not figure:
        return "–"
    value = figure["value"]
    return f"{value:.4f}" if figure.get("metric") in ("loss", *UNITS) else f"{value:.1%}"
