"""Parts of speech on UD English EWT, SmolLM2-135M-Instruct: one prompt and one template for every token (ToPro).

24 training and 24 dev sentences, the first of the file, 100 unseen ones. A deep prompt is searched in the upper half
of the layers from an instruction. Beside it: the most frequent tag of the training tokens, the same model with the
template alone, and with the instruction that the search starts from. Intervals are over sentences.
"""

import time
from collections import Counter

import numpy as np
import torch

from benchmarks.data import data_folder
from blackbox import Task, read_rows, tune
from blackbox.asking import ask
from blackbox.backends import Backend, Prompt, TextPrompt
from blackbox.build import make_backend
from blackbox.config import make_config
from blackbox.metrics import Measured
from blackbox.outcome import score_prompts
from blackbox.tag_metrics import TAG_METRICS, TagMetric
from blackbox.tags import sentences_of

WORDS = {
    "ADJ": "adjective",
    "ADP": "preposition",
    "ADV": "adverb",
    "AUX": "auxiliary",
    "CCONJ": "conjunction",
    "DET": "article",
    "INTJ": "greeting",
    "NOUN": "noun",
    "NUM": "number",
    "PART": "particle",
    "PRON": "pronoun",
    "PROPN": "name",
    "PUNCT": "punctuation",
    "SCONJ": "clause",
    "SYM": "symbol",
    "VERB": "verb",
    "X": "other",
}
TEMPLATE = '{text}\nThe word "{token}" is a {label}'
GAIN = TagMetric(
    "gain in accuracy",
    count=lambda after, before, _: np.array([after.sum() - before.sum(), len(after)], dtype=np.float64),
    value=lambda counts: counts[..., 0] / counts[..., 1],
)
SENTENCES, TEST_SENTENCES, QUICK_TEST_SENTENCES = 24, 100, 20
SETTINGS: dict[str, object] = {
    "model": "smollm2-135m",
    "dtype": "bfloat16",
    "prompt": "Tag each word of the sentence with its part of speech.\n",
    "layers": "15-29",
    "dimension": 100,
    "population": 20,
    "evaluations": 900,
    "threads": 1,
}


def run(*, quick: bool) -> dict[str, object]:
    """Accuracy on unseen sentences; `quick`: 40 evaluations."""
    settings = {**SETTINGS, **({"evaluations": 40} if quick else {})}
    print(f"{torch.__version__}; {settings}")
    task = make_task(QUICK_TEST_SENTENCES if quick else TEST_SENTENCES)
    backend = make_backend(make_config(settings))
    [bare] = score_prompts(backend, task, [TextPrompt("")], task.test)
    figures = {"majority tag": majority(task), "template alone": _there(bare.measured)}
    cpu = time.process_time()
    result = tune(task, **settings)  # type: ignore[arg-type]
    cpu = time.process_time() - cpu
    summary = result.summary
    figures |= {"instruction, untuned": _there(summary.test_before), "tuned": _there(summary.test_after)}
    gain = gained(backend, task, TextPrompt(str(settings["prompt"])), result.prompt)
    for name, figure in {**figures, "tuned less untuned": gain}.items():
        print(f"{name:22}{figure}", flush=True)
    return {
        "settings": settings,
        "template": TEMPLATE,
        "sentences": {split.name: len(set(sentences_of(split.rows))) for split in (task.train, task.dev, task.test)},
        "accuracy": {name: figure.to_dict() for name, figure in figures.items()},
        "gain": gain.to_dict(),
        "evaluations": summary.evaluations,
        "train_loss": summary.train_loss,
        "cpu_seconds": round(cpu, 1),
    }


def make_task(test_sentences: int) -> Task:
    """The rows with the words of their tags."""
    folder = data_folder("ud_ewt_pos")
    return Task(
        read_rows(folder / "train.jsonl")[:SENTENCES],
        dev=read_rows(folder / "dev.jsonl")[:SENTENCES],
        test=read_rows(folder / "test.jsonl")[:test_sentences],
        template=TEMPLATE,
        label_words=WORDS,
        tags_field="tags",
    )


def majority(task: Task) -> Measured:
    """The most frequent tag of the training tokens for every token."""
    [(most, _)] = Counter(task.train.labels.tolist()).most_common(1)
    predicted = task.test.labels * 0 + most
    return TAG_METRICS["accuracy"](predicted, task.test.labels, sentences_of(task.test.rows), task.labels)


def gained(backend: Backend, task: Task, before: Prompt, after: Prompt) -> Measured:
    """The share of tokens that are right behind the one prompt less that behind the other, paired by sentences."""
    rows = range(len(task.test))
    first, second = (one.answers.scores for one in ask(backend, task.grader, [before, after], task.test, [rows, rows]))
    return GAIN(second.astype(np.int64), first.astype(np.int64), sentences_of(task.test.rows), task.labels)


def _there(measured: Measured | None) -> Measured:
    if measured is None:
        raise ValueError("the task has no test rows")
    return measured
