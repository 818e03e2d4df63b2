"""`blackbox bank add | list | rank`: prompts that were found, kept for later searches to start from."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from blackbox.backends import TextPrompt
from blackbox.bank import Bank
from blackbox.build import make_backend
from blackbox.cli.console import err, out
from blackbox.cli.settings_options import with_settings
from blackbox.config import make_config, read_settings
from blackbox.parts import read_files
from blackbox.ranking import Ranked, ranked
from blackbox.run_folder import RunFolder
from blackbox.saved_prompt import SavedPrompt

bank = typer.Typer(help="Prompts for later searches to start from: add, list, rank.", no_args_is_help=True)

BankOption = Annotated[Path, typer.Option("--folder", help="The bank's folder.")]
_START = "the start"


@bank.command()
def add(
    sources: Annotated[list[Path], typer.Argument(help="Folders of runs, or of saved prompts.", show_default=False)],
    *,
    name: Annotated[
        str | None, typer.Option(help="Of a single one. \\[default: its folder's name]", show_default=False)
    ] = None,
    folder: BankOption = Path("bank"),
) -> None:
    """Copy the prompts of runs into a bank."""
    if name is not None and len(sources) > 1:
        raise typer.BadParameter(f"one name is for one prompt, got {len(sources)}")
    for source in sources:
        added = Bank(folder).add(source, name)
        err.print(f"{added} is in {folder}", markup=False, highlight=False, soft_wrap=True)


@bank.command(name="list")
def list_prompts(*, folder: BankOption = Path("bank")) -> None:
    """Print the prompts of a bank."""
    table = Table("name", "kind", "model", "on the tokens of", "dev")
    for name, saved in Bank(folder).prompts().items():
        table.add_row(name, type(saved.prompt).__name__, saved.model, Text(repr(saved.text)), _dev(saved))
    out.print(table)


@bank.command()
@with_settings()
def rank(
    config: Annotated[
        Path | None, typer.Argument(help="Settings in TOML of the task; options replace them.", show_default=False)
    ] = None,
    *,
    folder: BankOption = Path("bank"),
    like: Annotated[
        Path | None,
        typer.Option(help="A run of the task: how alike its prompt and the others are.", show_default=False),
    ] = None,
    **settings: Any,
) -> None:
    """Score the prompts of a bank, and the task's own text, on its training rows: the first would be started from."""
    given, task = read_files(make_config({**(read_settings(config) if config else {}), **settings}))
    prompts = Bank(folder).prompts()
    tuned = RunFolder(like).read_prompt() if like else None
    with err.status("loading the model"):
        backend = make_backend(given)
    if tuned:
        tuned.check(backend)
    own = SavedPrompt.of(TextPrompt(given.prompt or ""), backend=backend, task=task, scores={})
    table = Table("prompt", "train loss", "train", "mutual information, nats", "similarity", "why not")
    for one in ranked(backend, task, {_START: own, **prompts}, like=tuned.prompt if tuned else None):
        table.add_row(*map(Text, _cells(one)))
    out.print(table)


def _cells(one: Ranked) -> list[str]:
    if one.outcome is None:
        return [one.name, "", "", "", "", one.refusal]
    figure = str(one.outcome.measured.brief) if one.outcome.measured else ""
    numbers = ("" if value is None else f"{value:.3f}" for value in (one.information, one.similarity))
    return [one.name, f"{one.loss:.4f}", figure, *numbers, ""]


def _dev(saved: SavedPrompt) -> str:
    """What the run that found it has measured on its dev rows."""
    dev = saved.scores.get("dev")
    return f"{dev['value']:.1%}" if isinstance(dev, dict) and "value" in dev else ""
