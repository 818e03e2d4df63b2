"""The files that programs read: sweep.csv has a line for each run, sweep.json the standings as well.

What is not known is empty in the one and null in the other, and so is the end of an interval that has none: one value
alone shows no spread.
"""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from blackbox.files import write_json, write_whole
from blackbox.sweeps.budget import Bill
from blackbox.sweeps.records import RunRecord
from blackbox.sweeps.standings import Standing

COLUMNS = (
    *("task", "method", "seed", "status", "metric", "start", "found", "low", "high", "dev", "train_loss"),
    *(
        "evaluations",
        "requests",
        "prompt_tokens",
        "completion_tokens",
        "usd",
        "seconds",
        "stop_reason",
        "folder",
        "error",
    ),
)


def write_csv(path: Path, records: Sequence[RunRecord]) -> None:
    """A line for each run; a folder counts from that of the file."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(run_values(record, path.parent) for record in records)
    write_whole(path, text.getvalue().encode())


def write_standings(
    path: Path,
    *,
    name: str,
    baseline: str | None,
    standings: Sequence[Standing],
    records: Sequence[RunRecord],
    bill: Bill | None,
) -> None:
    """The standings, all runs and the bill as JSON."""
    values = {
        "name": name,
        "baseline": baseline,
        "bill": bill and bill_values(bill),
        "standings": [standing_values(standing) for standing in standings],
        "runs": [run_values(record, path.parent) for record in records],
    }
    write_json(path, _finite(values))


def bill_values(bill: Bill) -> dict[str, object]:
    """What was paid for, and the limits of the sweep."""
    spent = {name: getattr(bill.spent, name) for name in ("requests", "prompt_tokens", "completion_tokens", "usd")}
    return {**spent, "seconds": bill.seconds, "budget": bill.budget.model_dump()}


def run_values(record: RunRecord, home: Path) -> dict[str, object]:
    """What is told of a run, by `COLUMNS`; its folder counts from that of the sweep."""
    run, summary, found = record.run, record.summary, record.found
    low, high = (found.interval if found else None) or (None, None)
    costs = ("train_loss", "evaluations", "requests", "prompt_tokens", "completion_tokens", "usd", "seconds")
    return {
        "task": run.task,
        "method": run.method,
        "seed": run.seed,
        "status": record.status,
        "metric": found.metric if found else None,
        "start": record.start.value if record.start else None,
        "found": found.value if found else None,
        "low": low,
        "high": high,
        "dev": summary.dev_figure.value if summary and summary.dev_figure else None,
        **{key: getattr(summary, key) if summary else None for key in costs},
        "stop_reason": summary.stop_reason if summary else None,
        "folder": run.folder.relative_to(home.absolute()).as_posix(),
        "error": record.error or record.left_out,
    }


def standing_values(standing: Standing) -> dict[str, object]:
    """JSON values; the metric by its name."""
    values = asdict(standing)
    values["metric"] = standing.kind.metric if standing.kind else None
    del values["kind"]
    return values


def _finite(value: object) -> object:
    """JSON has no infinity."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
