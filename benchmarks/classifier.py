"""scikit-learn's `cross_val_score` of a `PromptClassifier` on 64 rows: of a backend that computes nothing, of a model.

The rows are the customer feedback that stands in `examples/`; each fold is a whole search. What a fake backend takes is
what the library adds.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sklearn.model_selection import cross_val_score

from blackbox import PromptClassifier, read_rows
from blackbox.pipelines import forget_models

DATA = Path(__file__).parents[1] / "examples" / "data" / "feedback"
ROWS, FOLDS, EVALUATIONS = 64, 4, 100
QUICK_EVALUATIONS = 25
BACKENDS: Mapping[str, Mapping[str, Any]] = {
    "fake": {"backend": "fake"},
    "smollm2-135m": {"model": "smollm2-135m", "settings": {"threads": 1}},
}


def run(*, quick: bool) -> dict[str, object]:
    """Seconds and accuracies of the folds; `quick`: 25 evaluations a fold."""
    rows = (read_rows(DATA / "train.jsonl") + read_rows(DATA / "dev.jsonl"))[:ROWS]
    evaluations = QUICK_EVALUATIONS if quick else EVALUATIONS
    figures: dict[str, object] = {"rows": len(rows), "folds": FOLDS, "evaluations_a_fold": evaluations}
    for name, backend in BACKENDS.items():
        forget_models()
        classifier = PromptClassifier(
            template="{text} It was {label}.",
            label_words={"satisfied": "great", "unsatisfied": "bad"},
            prompt="Classify the customer's feedback.\n",
            evaluations=evaluations,
            random_state=1,
            **backend,
        )
        cpu, clock = time.process_time(), time.perf_counter()
        scores = cross_val_score(classifier, [row["text"] for row in rows], [row["label"] for row in rows], cv=FOLDS)
        figures[name] = {
            "accuracy": float(scores.mean()),
            "lowest": float(scores.min()),
            "highest": float(scores.max()),
            "seconds": round(time.perf_counter() - clock, 1),
            "cpu_seconds": round(time.process_time() - cpu, 1),
        }
        print(name, figures[name], flush=True)
    return figures
