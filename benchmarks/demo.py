"""What `make demo` runs: a deep prompt of SmolLM2-135M-Instruct on customer feedback that was written for the project.

The history stands in the figures, a line an evaluation, so that the page can draw the learning curve.
"""

from pathlib import Path

from blackbox import Evaluation, Measured, tune
from blackbox.backends import Usage
from blackbox.config import read_settings

CONFIG = Path(__file__).parents[1] / "examples" / "demo.toml"
QUICK = 30


def run(*, quick: bool) -> dict[str, object]:
    """Accuracy on unseen rows before and after, and the history; `quick`: 30 evaluations."""
    settings = {**read_settings(CONFIG), **({"evaluations": QUICK} if quick else {})}
    result = tune(**settings)
    summary = result.summary
    if summary.test_before is None or summary.test_after is None:
        raise ValueError("the task has no test rows")
    print(f"{summary.test_before} -> {summary.test_after} in {summary.seconds:.0f} s", flush=True)
    return {
        "before": summary.test_before.to_dict(),
        "after": summary.test_after.to_dict(),
        "evaluations": summary.evaluations,
        "row_passes": summary.requests,
        "train_loss": summary.train_loss,
        "seconds": round(summary.seconds, 1),
        "history": [line_of(evaluation) for evaluation in result.history],
    }


def line_of(evaluation: Evaluation) -> str:
    """What the curve shows of an evaluation; `evaluation_of` reads it."""
    seen = evaluation.measured
    figures = f" {seen.metric} {seen.value:.6f} {seen.low:.6f} {seen.high:.6f}" if seen else ""
    return (
        f"{evaluation.split} {evaluation.generation} {evaluation.candidate} {evaluation.rows} {evaluation.loss:.6f}"
        f"{figures}"
    )


def evaluation_of(number: int, line: str) -> Evaluation:
    """An evaluation without what it cost."""
    split, generation, candidate, rows, loss, *seen = line.split()
    metric, value, low, high = seen or ("", 0.0, 0.0, 0.0)
    return Evaluation(
        number=number,
        split=split,
        generation=int(generation),
        block=None,
        candidate=candidate,
        loss=float(loss),
        measured=Measured(metric, float(value), float(low), float(high), int(rows)) if seen else None,
        rows=int(rows),
        failed_rows=0,
        usage=Usage(),
        elapsed=0.0,
    )
