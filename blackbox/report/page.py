"""The report of a run: one HTML file that needs nothing else, neither network nor script."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from blackbox.evaluation import Evaluation
from blackbox.files import write_whole
from blackbox.report.finishing import attempts_in_words, serving_in_words
from blackbox.report.headline import comparison, outcome_in_words, status_in_words
from blackbox.report.improvements import block_gains, find_improvements, selected
from blackbox.report.rendering import render
from blackbox.report.tried_prompts import tried_prompts
from blackbox.report.words import in_time, in_usd
from blackbox.summary import Summary


def write_report(
    path: Path,
    *,
    name: str,
    summary: Summary,
    config: dict[str, object],
    environment: dict[str, object],
    history: Sequence[Evaluation],
    curve: bytes | None,
) -> None:
    """Write the report.

    Args:
        path: the HTML file.
        name: of the run.
        config: the settings as resolved.
        environment: versions and hashes.
        history: of the run, in order.
        curve: the learning curve, a PNG; None where there is none.
    """
    improvements = find_improvements(history)
    looks = [improvement.dev for improvement in improvements if improvement.dev]
    best = selected(improvements)
    page = render(
        "report.html",
        name=name,
        summary=summary,
        status=status_in_words(summary),
        outcome=outcome_in_words(summary, improvements),
        comparison=comparison(summary, improvements) if best and best.train.generation else None,
        costs=_costs(summary, history),
        serving=serving_in_words(summary),
        attempts=attempts_in_words(history),
        curve=base64.b64encode(curve).decode() if curve else None,
        improvements=improvements,
        selected=best,
        tried=tried_prompts(history, best.train.candidate if best else None),
        looked=bool(looks),
        measured=any(look.measured for look in looks),
        blocks=block_gains(history, improvements),
        settings=list(_flat(config)),
        environment=list(_flat(environment)),
    )
    write_whole(path, page.encode())


def _costs(summary: Summary, history: Sequence[Evaluation]) -> list[tuple[str, str, str]]:
    """Figure, name and explanation of each cost."""
    failed = sum(evaluation.failed_rows for evaluation in history)
    costs = [
        (f"{summary.evaluations:,}", "evaluations", "prompts scored on the training rows, dev looks included"),
        (f"{summary.requests:,}", "requests", "rows scored behind a prompt, test rows included"),
        (f"{summary.prompt_tokens:,}", "prompt tokens", "read by the model"),
        (f"{summary.completion_tokens:,}", "completion tokens", "written by the model"),
        (in_usd(summary.usd), "price", "of all requests; a local model has none"),
        (in_time(summary.seconds), "time", "over all sessions of the run"),
    ]
    if summary.texts:
        named = "different prompts among the candidates: equal ones are scored once"
        costs.append((f"{summary.texts:,}", "texts", f"{named}; {summary.refused:,} candidates had none"))
    if summary.saved > 0:
        scored = f"scored {summary.train_rows:,} of {summary.train_rows_in_full:,} training rows of all prompts"
        costs.append((f"{summary.saved:.0%}", "saved by racing", scored))
    return [*costs, (f"{failed:,}", "rows without an answer", "left out of losses and metrics")] if failed else costs


def _flat(values: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Keys, those of inner mappings behind a point, and values as text."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _text(value)


def _text(value: object) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
