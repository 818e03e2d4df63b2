"""This project's searches of choices."""

from collections.abc import Mapping
from typing import Any

from benchmarks.text_peers.programs.exchange import Brief, Found, ended, serve
from blackbox import Task, tune
from blackbox.backends import TextPrompt
from blackbox.backends.rendering import conversation
from blackbox.form import Form
from blackbox.text_prompts import prompt_to_dict

METHODS: Mapping[str, Mapping[str, Any]] = {
    "categorical": {"optimizer": "categorical"},
    "reflective": {"optimizer": "reflective", "population": 6},
}


def search(brief: Brief) -> Found:
    task = Task.from_dict(brief.task)
    result = tune(
        task,
        backend="openai",
        model=brief.model,
        base_url=brief.base_url,
        space="choices",
        instructions=list(brief.instructions),
        max_requests=brief.limit,
        evaluations=10**6,
        proposal_tokens=brief.proposal_tokens,
        seed=brief.seed,
        **METHODS[brief.method],
    )
    prompt = result.prompt
    if not isinstance(prompt, TextPrompt):
        raise TypeError(f"space choices has text prompts, got {type(prompt).__name__}")
    form = result.saved.form
    return Found(messages_of(prompt, form), words_of(prompt, brief), ended=ended(brief), prompt=prompt_to_dict(prompt))


def messages_of(prompt: TextPrompt, form: Form) -> list[dict[str, str]]:
    """What a chat model reads of a prompt and a row, with slots for the row's fields."""
    own = form.of(prompt)
    (query,) = own.open_queries([{name: f"<<{name}>>" for name in own.template.fields}], where="slots")
    said = conversation(prompt, query)
    turns = (("system", said.system), *said.turns) if said.system else said.turns
    return [{"role": who, "content": what} for who, what in turns]


def words_of(prompt: TextPrompt, brief: Brief) -> list[str]:
    """The prompt's own label words, or the task's."""
    return list(prompt.label_words or brief.words)


if __name__ == "__main__":
    serve(search)
