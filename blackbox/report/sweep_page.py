"""The report of a sweep: one HTML file with its pictures, which stand beside it as PNG files too."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

from blackbox.errors import RunError
from blackbox.files import write_whole
from blackbox.journal import Journal
from blackbox.report.rendering import render
from blackbox.report.sweep_plots import Climb, climb_of, draw_climbs, draw_standings
from blackbox.report.sweep_words import (
    best_of,
    bill_in_words,
    difference_in_words,
    interval_in_words,
    mean_in_words,
    runs_in_words,
    shortfall_in_words,
    task_in_words,
)
from blackbox.report.words import about, compact, counted, in_time, in_usd
from blackbox.run_folder import RunFolder
from blackbox.sweeps.budget import Bill
from blackbox.sweeps.records import RunRecord
from blackbox.sweeps.standings import Cost, Standing


@dataclass(frozen=True)
class Line:
    """A method in a table of the page, in words."""

    method: str
    runs: str
    start: str
    found: str
    interval: str
    difference: str
    difference_interval: str
    p_value: str
    costs: tuple[str, ...]
    best: bool


def write_sweep_report(
    home: Path,
    name: str,
    baseline: str | None,
    records: Sequence[RunRecord],
    standings: Sequence[Standing],
    *,
    bill: Bill | None = None,
) -> None:
    """Write report.html, methods.png and climbs.png.

    Args:
        home: the folder of the sweep.
        name: of the sweep.
        baseline: the method that the others are compared with.
        records: of its runs.
        standings: of its methods.
        bill: what was paid for at endpoints, if any was asked.
    """
    pictures = {"methods.png": draw_standings(standings, records), "climbs.png": draw_climbs(_climbs(records))}
    for file, content in pictures.items():
        if content:
            write_whole(home / file, content)
    page = render(
        "sweep.html",
        name=name,
        baseline=baseline,
        outcome=_outcome(records, bill),
        tables=[_table(task, list(lines)) for task, lines in groupby(standings, key=lambda standing: standing.task)],
        pictures=[base64.b64encode(content).decode() if content else None for content in pictures.values()],
        runs=[_run(record, home) for record in records],
    )
    write_whole(home / "report.html", page.encode())


def _outcome(records: Sequence[RunRecord], bill: Bill | None) -> list[str]:
    done = [record.summary for record in records if record.succeeded and record.summary]
    evaluations, requests = sum(one.evaluations for one in done), sum(one.requests for one in done)
    spent = (
        f"Together they took {evaluations:,} evaluations, {requests:,} requests, "
        f"{in_usd(sum(one.usd for one in done))} and {in_time(sum(one.seconds for one in done))} of searching."
    )
    failed = sum(record.status == "failed" for record in records)
    left = len(records) - len(done) - failed - sum(record.left_out is not None for record in records)
    notes = [f"{counted(failed, 'run')} failed."] if failed else []
    notes += [f"{counted(left, 'run')} have not ended."] if left else []
    notes += shortfall_in_words(records)
    notes += [f"All calls to endpoints, those of unfinished runs included: {bill_in_words(bill)}."] if bill else []
    return [f"{len(done)} of {counted(len(records), 'run')} succeeded. {spent}", *notes]


def _table(task: str | None, standings: Sequence[Standing]) -> dict[str, object]:
    kind = next((standing.kind for standing in standings if standing.kind), None)
    best = best_of(standings)
    return {
        "title": task_in_words(task),
        "figure": f"{kind.metric}, {kind.unit}" if kind else None,
        "lines": [_line(standing, best=standing is best) for standing in standings],
    }


def _line(standing: Standing, *, best: bool) -> Line:
    found, kind, compared = standing.found, standing.kind, standing.difference
    return Line(
        standing.method,
        runs_in_words(standing, always=True),
        mean_in_words(standing.start, kind),
        mean_in_words(found, kind),
        interval_in_words(found.low, found.high, kind) if found and kind else "",
        *difference_in_words(standing),
        f"{compared.p_value:.2g}" if compared and compared.rows > 1 else "–",
        _costs(standing.cost),
        best,
    )


def _costs(cost: Cost | None) -> tuple[str, ...]:
    if cost is None:
        return ("–",) * 5
    counts = (f"{round(cost.evaluations):,}", f"{round(cost.requests):,}", compact(round(cost.tokens)))
    return *counts, in_usd(cost.usd), about(cost.seconds)


def _run(record: RunRecord, home: Path) -> dict[str, object]:
    run, found = record.run, record.found
    report = RunFolder(run.folder).report
    return {
        "task": run.task,
        "method": run.method,
        "seed": run.seed,
        "status": record.status,
        "error": record.error or record.left_out or (record.cut and f"ended with the budget: {record.cut}"),
        "found": str(found) if found else "–",
        "report": quote(report.relative_to(home.absolute()).as_posix()) if report.exists() else None,
    }


def _climbs(records: Sequence[RunRecord]) -> dict[str, dict[str, list[Climb]]]:
    climbs: dict[str, dict[str, list[Climb]]] = {}
    for record in records:
        climb = _climb(record)
        if climb:
            climbs.setdefault(record.run.task, {}).setdefault(record.run.method, []).append(climb)
    return climbs


def _climb(record: RunRecord) -> Climb | None:
    """None where nothing has been found, or can be read."""
    if not record.succeeded:
        return None
    try:
        with Journal(RunFolder(record.run.folder).journal) as journal:
            return climb_of(journal.evaluations)
    except RunError:
        return None
