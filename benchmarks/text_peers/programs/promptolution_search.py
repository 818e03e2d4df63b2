"""CAPO (arXiv 2504.16005) and EvoPromptGA (arXiv 2309.08532), both of promptolution."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from promptolution.llms import APILLM
from promptolution.optimizers import CAPO, EvoPromptGA
from promptolution.predictors import FirstOccurrencePredictor, MarkerBasedPredictor
from promptolution.tasks import ClassificationTask
from promptolution.utils.prompt import Prompt
from promptolution.utils.templates import DEFAULT_SYS_PROMPT

from benchmarks.text_peers.grading import alike
from benchmarks.text_peers.programs.exchange import Brief, Example, Found, ended, serve

BLOCK, BLOCKS = 10, 3
PATIENT = {"call_timeout_s": 600.0, "gather_timeout_s": 3000.0}  # a slow server shall end no search
STEPS = 1000  # more than any limit has calls for


def search(brief: Brief) -> Found:
    random.seed(brief.seed)
    np.random.seed(brief.seed)
    settings = {"api_url": brief.base_url, "api_key": "none", "model_id": brief.model, "max_retries": 0, **PATIENT}
    model = APILLM(**settings, max_tokens=brief.answer_tokens, call_kwargs={"temperature": 0.0})
    writer = APILLM(**settings, max_tokens=brief.proposal_tokens)
    prompt = {"capo": capo, "evoprompt-ga": evoprompt}[brief.method](brief, predictor(brief, model), writer)
    messages = [
        {"role": "system", "content": DEFAULT_SYS_PROMPT},
        {"role": "user", "content": f"{prompt.construct_prompt()}\n{brief.slots}"},
    ]
    markers = () if brief.words else ("<final_answer>", "</final_answer>")
    return Found(messages, brief.words, *markers, ended=ended(brief))


def predictor(brief: Brief, model: APILLM) -> Any:
    """Reads label words wherever they stand; targets between markers, or the whole answer where there are none."""
    words = [word.lower() for word in brief.words]
    return FirstOccurrencePredictor(model, words) if words else MarkerBasedPredictor(model)


def capo(brief: Brief, reader: Any, writer: APILLM) -> Prompt:
    block = max(1, min(BLOCK, len(brief.dev) // BLOCKS))
    task = classification(brief, n_subsamples=block, eval_strategy="sequential_block")
    optimizer = CAPO(
        predictor=reader,
        task=task,
        meta_llm=writer,
        initial_prompts=list(brief.instructions),
        df_few_shots=table(brief.train),
    )
    return optimizer.optimize(n_steps=STEPS)[0]


def evoprompt(brief: Brief, reader: Any, writer: APILLM) -> Prompt:
    task = classification(brief, eval_strategy="sequential_block")
    optimizer = EvoPromptGA(predictor=reader, task=task, meta_llm=writer, initial_prompts=list(brief.instructions))
    return optimizer.optimize(n_steps=STEPS)[0]


def classification(brief: Brief, **settings: Any) -> ClassificationTask:
    """Targets are classes of their own here: what is compared is the text."""
    metric: dict[str, Callable[[Any, Any], float]] = {} if brief.words else {"metric": same}
    return ClassificationTask(
        table(brief.dev), task_description=brief.description, seed=brief.seed, **settings, **metric
    )


def same(wanted: list[str], found: list[str]) -> float:
    return float(alike(found[0], wanted[0]))


def table(examples: list[Example]) -> pd.DataFrame:
    return pd.DataFrame({"x": [one.input for one in examples], "y": [one.answer for one in examples]})


if __name__ == "__main__":
    serve(search)
