"""A few-shot classifier from 32 labelled rows and a model that is only queried: deep prompts, no gradients."""

from pathlib import Path

from blackbox import Task, read_rows, tune

DATA = Path(__file__).parent / "data" / "feedback"


SETTINGS = {"model": "smollm2-135m", "prompt": "Classify the customer's feedback.\n", "evaluations": 300}


def main(**settings: object) -> None:
    task = Task(
        read_rows(DATA / "train.jsonl"),
        dev=read_rows(DATA / "dev.jsonl"),
        template="{text} It was {label}.",
        label_words={"satisfied": "great", "unsatisfied": "bad"},
    )
    result = tune(task, **{**SETTINGS, **settings})
    print(f"train loss {result.history[0].loss:.3f} -> {result.summary.train_loss:.3f} nats")
    for text in ("The parcel arrived a day early.", "Three calls and still no answer."):
        answer = result.predict([{"text": text}])[0]
        print(f"{text} -> {answer.label} ({answer.probabilities[answer.label or '']:.0%})")


if __name__ == "__main__":
    main()
