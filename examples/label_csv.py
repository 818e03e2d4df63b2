"""Labels for a CSV file: a prompt is found on a few labelled rows, then every row of the file gets its label.

On the command line:

    blackbox tune examples/demo.toml --name feedback
    blackbox predict runs/feedback examples/data/feedback/new.csv --output labelled.csv
"""

import csv
from pathlib import Path

from blackbox import Task, read_rows, tune

DATA = Path(__file__).parent / "data" / "feedback"
SETTINGS = {"model": "smollm2-135m", "prompt": "Classify the customer's feedback.\n", "evaluations": 300}


def main(target: Path = Path("labelled.csv"), **settings: object) -> None:
    task = Task(
        read_rows(DATA / "train.jsonl"),
        dev=read_rows(DATA / "dev.jsonl"),
        template="{text} It was {label}.",
        label_words={"satisfied": "great", "unsatisfied": "bad"},
    )
    result = tune(task, **{**SETTINGS, **settings})
    rows = read_rows(DATA / "new.csv")
    with target.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [*rows[0], "label", "probability"])
        table.writeheader()
        for row, answer in zip(rows, result.predict(rows), strict=True):
            sure = max(answer.probabilities.values(), default=0.0)
            table.writerow({**row, "label": answer.label, "probability": f"{sure:.3f}"})
    print(f"{len(rows)} rows labelled in {target}")


if __name__ == "__main__":
    main()
