"""Tune a text prompt on a cheap local model, then carry it to a model behind an endpoint, within a hard budget.

The endpoint is asked only whether the prompt is better than the one it started from: a few hundred requests, not the
thousands of a search. Any server that speaks as OpenAI does will do:

    python examples/carry_to_api.py http://localhost:8080/v1 my-model
"""

import sys
from pathlib import Path

from blackbox import Result, Task, read_rows, tune
from blackbox.text_prompts import prompt_to_dict

DATA = Path(__file__).parent / "data" / "feedback"
START = "Is the customer satisfied? Answer positive or negative.\n"


def main(base_url: str, model: str, *, rows: int = 32, **settings: object) -> Result:
    task = Task(
        read_rows(DATA / "train.jsonl")[:rows],
        dev=read_rows(DATA / "dev.jsonl")[:rows],
        template="Feedback: {text}\nSentiment: {label}",
        label_words={"satisfied": "positive", "unsatisfied": "negative"},
    )
    search = {"model": "smollm2-135m", "space": "choices", "demonstrations": 2, "evaluations": 100, **settings}
    local = tune(task, prompt=START, **search)
    print(f"local training loss {local.history[0].loss:.3f} -> {local.summary.train_loss:.3f} nats")

    there = {"backend": "openai", "base_url": base_url, "model": model, "max_requests": 500}
    carried = tune(task, **there, space="texts", prompts=[START, prompt_to_dict(local.prompt)])
    better = "the carried prompt" if carried.prompt == local.prompt else "the start"
    print(f"{better} is better there: {carried.summary.dev}, {carried.summary.requests} requests")
    return carried


if __name__ == "__main__":
    main(*sys.argv[1:3])
