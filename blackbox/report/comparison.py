"""Tables of runs for the terminal: one run with all its figures, or several side by side."""

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from blackbox.figures import Figure
from blackbox.report.finishing import tokens_in_words
from blackbox.report.words import about, compact, in_time, in_usd
from blackbox.summary import Summary

Run = tuple[str, Summary, dict[str, object]]

_WORDS = ("run", "status", "model", "space", "optimizer")
_FIGURES = ("evalu-\nations", "tokens", "time", "train\nloss", "dev", "test\nbefore", "test\nafter")
_COLORS = {"running": "blue", "succeeded": "green", "interrupted": "yellow", "failed": "red"}


def comparison_table(runs: Sequence[Run]) -> Table:
    """Runs side by side, in the order given; the best figure on the test rows is bold. Made for 120 columns or more.

    Args:
        runs: name, summary and settings of each; of the settings, "model", "space" and "optimizer" are shown.
    """
    figures = [figure for _, summary, _ in runs for figure in _on_dev_and_test(summary) if figure]
    named = len({figure.metric for figure in figures}) > 1
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), caption=_caption(figures))
    for word in _WORDS:
        table.add_column(word, overflow="fold", no_wrap=word in _WORDS[:2])
    for figure in _FIGURES:
        table.add_column(figure, justify="right", no_wrap=True)
    best = None if named else min((s.figure_after.rank for _, s, _ in runs if s.figure_after), default=None)
    for name, summary, config in runs:
        table.add_row(*_words(name, summary, config), *_figures(summary, named=named, best=best))
    return table


def summary_table(name: str, summary: Summary, config: Mapping[str, object] | None = None) -> Table:
    """All figures of one run, one a line; with its settings, also those that `comparison_table` shows."""
    table = Table(box=SIMPLE_HEAD, show_header=False, title=Text(name, style="bold"), title_justify="left")
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    settings = [(key, str(config.get(key, "–"))) for key in _WORDS[2:]] if config else []
    for what, value in [*settings, *_lines(summary)]:
        table.add_row(what, value if isinstance(value, Text) else Text(value))
    return table


def _lines(summary: Summary) -> list[tuple[str, str | Text]]:
    lines: list[tuple[str, str | Text]] = [
        ("status", _status(summary)),
        ("stop reason", summary.stop_reason or "–"),
        ("evaluations", f"{summary.evaluations:,}"),
        ("requests", f"{summary.requests:,}"),
        ("prompt tokens", f"{summary.prompt_tokens:,}"),
        ("completion tokens", f"{summary.completion_tokens:,}"),
        ("price", in_usd(summary.usd)),
        ("time", in_time(summary.seconds)),
        ("to use it", _serving(summary)),
        ("train loss", _loss(summary)),
    ]
    for what, figure in zip(("dev", "test before", "test after"), _on_dev_and_test(summary), strict=True):
        lines.append((what, f"{figure.metric} {figure}" if figure else "–"))
    means = {"dev over templates": summary.dev_over_templates, "test over templates": summary.test_over_templates}
    lines += [(what, f"mean {mean:.3f}") for what, mean in means.items() if mean is not None]
    return lines


def _serving(summary: Summary) -> str:
    prompt, completion = summary.row_prompt_tokens, summary.row_completion_tokens
    return "–" if prompt is None or completion is None else f"{tokens_in_words(prompt, completion)} a row"


def _on_dev_and_test(summary: Summary) -> tuple[Figure | None, Figure | None, Figure | None]:
    return summary.dev_figure, summary.figure_before, summary.figure_after


def _words(name: str, summary: Summary, config: dict[str, object]) -> list[Text]:
    """Text, not markup: a run may be named `[red]`."""
    settings = [Text(str(config.get(key, "–"))) for key in _WORDS[2:]]
    return [Text(name), _status(summary), *settings]


def _figures(summary: Summary, *, named: bool, best: float | None) -> list[Text]:
    counts = [
        f"{summary.evaluations:,}",
        compact(summary.prompt_tokens + summary.completion_tokens),
        about(summary.seconds),
        _loss(summary),
    ]
    dev, before, after = _on_dev_and_test(summary)
    bold = after is not None and after.rank == best
    cells = [_cell(dev, named=named), _cell(before, named=named)]
    return [*map(Text, counts), *cells, _cell(after, named=named, style="bold" if bold else "")]


def _cell(figure: Figure | None, *, named: bool, style: str = "") -> Text:
    """The value, and its interval on a line of its own to keep the table narrow."""
    if figure is None:
        return Text("–")
    metric = f"{figure.metric} " if named else ""
    ends = "–".join(f"{figure.scale * end:.{1 if figure.unit == '%' else 3}f}" for end in figure.interval or ())
    return Text.assemble((f"{metric}{figure.brief}", style), (f"\n{ends}" if ends else "", "dim"))


def _status(summary: Summary) -> Text:
    return Text(summary.status, style=_COLORS.get(summary.status, ""))


def _loss(summary: Summary) -> str:
    return "–" if summary.train_loss is None else f"{summary.train_loss:.4f}"


def _caption(figures: Sequence[Figure]) -> str | None:
    if not figures:
        return None
    metrics = {figure.metric for figure in figures}
    metric = metrics.pop() if len(metrics) == 1 else "metrics differ, so no run is best"
    interval = (
        f"; below it the 95% interval, {figures[0].unit}"
        if any(figure.interval for figure in figures)
        else f", {figures[0].unit}"
    )
    return f"dev and test: {metric}{interval}"
