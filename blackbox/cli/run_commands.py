"""Commands that look at runs or use the prompts that they found."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from blackbox.backends import Capability
from blackbox.backends.api import Answers
from blackbox.blank import make_blank
from blackbox.build import make_backend
from blackbox.cli.console import WIDE, err, out
from blackbox.cli.predict_commands import RunArgument, backend_of, keeping, predictor_of
from blackbox.cli.settings_options import with_settings
from blackbox.config import make_config, read_settings
from blackbox.data import read_rows
from blackbox.endpoints import answers_file, run_of
from blackbox.errors import RunError, SettingError, unknown_name
from blackbox.export import FOLDER_FORMATS, FORMATS, export_folder, exported
from blackbox.files import write_whole
from blackbox.form import Form
from blackbox.graders import make_grader
from blackbox.report.comparison import comparison_table, summary_table
from blackbox.report.finished import finished_in_words, words_in_words
from blackbox.report.prompts import prompts_table
from blackbox.report.spending import spending_table
from blackbox.report.words import counted
from blackbox.run_folder import RunFolder
from blackbox.side_by_side import side_by_side
from blackbox.split import make_split
from blackbox.summary import Summary
from blackbox.template import Template
from blackbox.text_prompts import text_prompts


@with_settings()
def evaluate(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="[RUN] DATA",
            help="A run's folder, unless prompts are given; rows with labels or targets: .jsonl or .csv.",
            show_default=False,
        ),
    ],
    *,
    prompt: Annotated[
        list[str] | None, typer.Option(help="A text prompt to score, without any search; may be given several times.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Settings in TOML for the prompts; options replace them.", show_default=False)
    ] = None,
    **settings: Any,
) -> None:
    """Score a run's prompt, or text prompts side by side, on rows with labels or targets.

    Of a run, prints the metric or the mean loss as one JSON object; of prompts, a table with intervals and paired
    differences. The answers of an endpoint are kept, by default in runs/answers.sqlite, and paid for once; a budget
    counts what earlier calls with the same settings have spent.
    """
    if prompt or config or "prompts" in settings:
        values = {**(read_settings(config) if config else {}), **settings}
        _evaluate_prompts(paths, {**values, **({"prompts": prompt} if prompt else {})})
        return
    if len(paths) != 2:
        raise SettingError(f"evaluate needs RUN and DATA, or --prompt and DATA; got {counted(len(paths), 'path')}")
    if other := sorted(settings.keys() - {"metric"}):
        raise SettingError(f"a run has its own {other[0]!r}; of the settings only metric may be given with it")
    _evaluate_run(*paths, metric=settings.get("metric"))


def _evaluate_run(run: Path, data: Path, *, metric: str | None) -> None:
    rows = read_rows(data)
    folder = RunFolder(run)
    saved = folder.read_prompt()
    make_grader(saved.blank, metric=metric or saved.metric)  # a wrong name is refused before the model is loaded
    figure = predictor_of(folder).evaluate(rows, metric=metric)
    print(json.dumps(figure.to_dict() if figure else None))  # noqa: T201 - data goes to stdout


def _evaluate_prompts(paths: list[Path], values: dict[str, Any]) -> None:
    """Whatever is wrong with the input is said before the endpoint is asked."""
    config = make_config({"space": "texts", **values})
    if len(paths) != 1:
        raise SettingError(f"prompts are scored on one file of rows, got {counted(len(paths), 'path')}")
    blank = make_blank(
        config.label_words,
        label_field=config.label_field,
        target_field=config.target_field,
        number_field=config.number_field,
        tags_field=config.tags_field,
        tokens_field=config.tokens_field,
    )
    grader = make_grader(blank, metric=config.metric, answer_tokens=config.answer_tokens)
    if grader.needs is Capability.TARGETS:
        raise SettingError("prompts are compared by what is right: targets need a metric, such as exact-match")
    prompts = text_prompts(config.prompts, role=config.role)
    split = make_split(str(paths[0]), read_rows(paths[0]), Form(Template(config.template), blank))
    grader.check_rows(split)
    with err.status("asking the model"):
        backend = make_backend(keeping(config, Path("runs", "answers.sqlite")))
        scored = side_by_side(backend, prompts, split, grader=grader)
    out.print(prompts_table(scored))


def show(run: RunArgument) -> None:
    """Print what a run found and what it cost."""
    folder = RunFolder(run)
    folder.read_config()
    out.print(summary_table(folder.name, folder.read_summary()))
    if folder.prompt.exists():
        saved = folder.read_prompt()
        kind = type(saved.prompt).__name__
        out.print(f"prompt: {kind} for {saved.model} on the tokens of {saved.text!r}", highlight=False, markup=False)
        found = folder.read_found_words() if folder.found_words.exists() else None
        for line in [*([words_in_words(found)] if found else []), *finished_in_words(saved)]:
            out.print(line, highlight=False, markup=False)


def export(
    run: RunArgument,
    *,
    form: Annotated[
        str, typer.Option("--format", help=f"A text: {', '.join(FORMATS)}; a folder: {', '.join(FOLDER_FORMATS)}.")
    ] = "text",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "--out", help="A file, or a folder, to write; default: print the text.", show_default=False
        ),
    ] = None,
) -> None:
    """Write a run's prompt in the form that another program takes: a text prompt as a text with {field} where a row's
    text goes, printed or into a file; vectors into a folder, from the run's model.
    """
    folder = RunFolder(run)
    config = folder.read_config()
    if form in FOLDER_FORMATS:
        if output is None:
            raise SettingError(f"format {form!r} is a folder of files; say which with --out")
        export_folder(folder.read_prompt(), backend_of(folder, config), form, output)
        return
    if form not in FORMATS:
        raise unknown_name("format", form, [*FORMATS, *FOLDER_FORMATS])
    text = exported(folder.read_prompt(), form)
    if output is None:
        sys.stdout.write(text)
    else:
        write_whole(output, text.encode())


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Two or more runs' folders.", show_default=False)],
) -> None:
    """Print runs side by side; on a narrow terminal below each other."""
    compared = [_compared(RunFolder(run)) for run in runs]
    if out.width >= WIDE:
        out.print(comparison_table(compared))
        return
    for name, summary, config in compared:
        out.print(summary_table(name, summary, config))


def journal(run: RunArgument) -> None:
    """Print what a run on an endpoint has spent, and on what."""
    folder = RunFolder(run)
    config = folder.read_config()
    file = answers_file(config, folder.answers)
    if file is None or not file.exists():
        raise RunError(f"{file}: there are no answers of an endpoint; the run's backend is {config.backend!r}")
    with Answers(file, run=run_of(config)) as answers:
        out.print(spending_table(folder.name, answers.spending(), answers.spent()))


def _compared(folder: RunFolder) -> tuple[str, Summary, dict[str, object]]:
    """The model is the one that was queried: not every backend has the setting's."""
    config = {**folder.read_config().model_dump(), "model": folder.read_environment()["model"]}
    return folder.name, folder.read_summary(), config
