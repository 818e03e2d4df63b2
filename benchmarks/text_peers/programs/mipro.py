"""MIPROv2 (arXiv 2406.11695) of DSPy: instructions and demonstrations by a TPE search."""

from typing import Any

import dspy
from dspy.utils.exceptions import AdapterParseError

from benchmarks.text_peers.grading import right
from benchmarks.text_peers.programs.exchange import Brief, Example, Found, ended, serve

FIELD = "answer"
CANDIDATES = 6  # as auto="light" has it
FULL, MINIBATCH = 50, 35  # dev rows up to which each trial has all of them, and else how many: its defaults


class WholeTextAdapter(dspy.ChatAdapter):
    """Takes all that the model wrote for the one field that was wanted, where its marker is missing.

    Without it a small model's first proposal in another format ends the run, and each such answer is asked for again.
    """

    def parse(self, signature: type[dspy.Signature], completion: str) -> dict[str, Any]:
        try:
            return super().parse(signature, completion)
        except AdapterParseError:
            if len(signature.output_fields) > 1:
                raise
            return dict.fromkeys(signature.output_fields, completion.strip())


def search(brief: Brief) -> Found:
    terms = {"api_base": brief.base_url, "api_key": "none"}
    model = dspy.LM(f"openai/{brief.model}", temperature=0.0, max_tokens=brief.answer_tokens, **terms)
    writer = dspy.LM(f"openai/{brief.model}", max_tokens=brief.proposal_tokens, **terms)
    dspy.configure(lm=model, adapter=WholeTextAdapter())

    def metric(example: dspy.Example, found: dspy.Prediction, trace: object = None) -> bool:
        return right(str(found.answer), example.answer, brief.words)

    optimizer = dspy.MIPROv2(
        metric=metric,
        prompt_model=writer,
        task_model=model,
        auto=None,
        num_candidates=CANDIDATES,
        num_threads=1,
        max_errors=10**6,
    )
    student = dspy.Predict(dspy.Signature(f"input -> {FIELD}", brief.instructions[0]))
    best = optimizer.compile(
        student,
        trainset=rows(brief.train),
        valset=rows(brief.dev),
        num_trials=2 * brief.limit // min(len(brief.dev), MINIBATCH),  # some are told twice, which costs nothing
        minibatch=len(brief.dev) > FULL,
        minibatch_size=MINIBATCH,
        seed=brief.seed,
    )
    messages = WholeTextAdapter().format(best.signature, best.demos, {"input": brief.slots})
    said = [{"role": str(one["role"]), "content": str(one["content"])} for one in messages]
    return Found(said, brief.words, begin=f"[[ ## {FIELD} ## ]]", end="[[ ##", ended=ended(brief))


def rows(examples: list[Example]) -> list[dspy.Example]:
    return [dspy.Example(input=one.input, answer=one.answer).with_inputs("input") for one in examples]


if __name__ == "__main__":
    serve(search)
