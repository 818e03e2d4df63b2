"""MIPROv2 (arXiv 2406.11695) of DSPy: instructions and demonstrations by a TPE search."""

import dspy

from benchmarks.text_peers.grading import right
from benchmarks.text_peers.programs.exchange import Brief, Example, Found, ended, serve

FIELD = "answer"


def search(brief: Brief) -> Found:
    terms = {"api_base": brief.base_url, "api_key": "none"}
    model = dspy.LM(f"openai/{brief.model}", temperature=0.0, max_tokens=brief.answer_tokens, **terms)
    writer = dspy.LM(f"openai/{brief.model}", max_tokens=brief.proposal_tokens, **terms)
    dspy.configure(lm=model)

    def metric(example: dspy.Example, found: dspy.Prediction, trace: object = None) -> bool:
        return right(str(found.answer), example.answer, brief.words)

    optimizer = dspy.MIPROv2(
        metric=metric, prompt_model=writer, task_model=model, auto="light", num_threads=1, max_errors=10**6
    )
    student = dspy.Predict(dspy.Signature(f"input -> {FIELD}", brief.instructions[0]))
    best = optimizer.compile(student, trainset=rows(brief.train), valset=rows(brief.dev), seed=brief.seed)
    messages = dspy.ChatAdapter().format(best.signature, best.demos, {"input": brief.slots})
    said = [{"role": str(one["role"]), "content": str(one["content"])} for one in messages]
    return Found(said, brief.words, begin=f"[[ ## {FIELD} ## ]]", end="[[ ##", ended=ended(brief))


def rows(examples: list[Example]) -> list[dspy.Example]:
    return [dspy.Example(input=one.input, answer=one.answer).with_inputs("input") for one in examples]


if __name__ == "__main__":
    serve(search)
