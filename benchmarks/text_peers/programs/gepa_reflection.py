"""GEPA (arXiv 2507.19457), the package gepa: reflective evolution of a system message."""

from typing import Any

import gepa
from gepa.adapters.default_adapter.default_adapter import DefaultAdapter, EvaluationResult

from benchmarks.text_peers.grading import right
from benchmarks.text_peers.programs.exchange import Brief, Example, Found, Messages, ask, ended, left, serve


def search(brief: Brief) -> Found:
    def model(messages: Messages) -> str:
        return ask(brief.base_url, messages, model=brief.model, temperature=0.0, max_tokens=brief.answer_tokens)

    def writer(prompt: str | Messages) -> str:
        messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
        return ask(brief.base_url, messages, model=brief.model, max_tokens=brief.proposal_tokens)

    def evaluate(data: dict[str, Any], response: str) -> EvaluationResult:
        """The feedback is that of the package's own evaluator."""
        good = right(response, data["answer"], brief.words)
        feedback = (
            f"The generated response is correct. The response include the correct answer '{data['answer']}'"
            if good
            else f"The generated response is incorrect. The correct answer is '{data['answer']}'. "
            "Ensure that the correct answer is included in the response exactly as it is."
        )
        return EvaluationResult(score=float(good), feedback=feedback)

    result = gepa.optimize(
        seed_candidate={"system_prompt": brief.instructions[0]},
        trainset=rows(brief.train),
        valset=rows(brief.dev),
        adapter=DefaultAdapter(model, evaluator=evaluate),
        reflection_lm=writer,
        max_metric_calls=brief.limit,
        stop_callbacks=lambda state: not left(brief),
        raise_on_exception=False,  # the limit's refusal ends the search, with its best
        seed=brief.seed,
    )
    system = result.best_candidate["system_prompt"]
    messages = [{"role": "system", "content": system}, {"role": "user", "content": brief.slots}]
    return Found(messages, brief.words, ended=ended(brief))


def rows(examples: list[Example]) -> list[dict[str, Any]]:
    return [{"input": one.input, "additional_context": {}, "answer": one.answer} for one in examples]


if __name__ == "__main__":
    serve(search)
