"""Text prompts to paste, as messages for a chat model, as JSON, or for a program that takes text prompts."""

import json
from collections.abc import Callable

from blackbox.backends import Query, TextPrompt
from blackbox.backends.rendering import conversation, one_text
from blackbox.errors import RunError, unknown_name
from blackbox.export.dspy import dspy_state
from blackbox.export.promptfoo import promptfoo_config
from blackbox.saved_prompt import SavedPrompt
from blackbox.template import Template
from blackbox.text_prompts import prompt_to_dict


def exported(saved: SavedPrompt, form: str) -> str:
    """A saved text prompt in one of the `FORMATS`; `{field}` stands where a row's field goes.

    "text" is what a model reads that goes on with a text, "messages" the list that chat endpoints take (OpenAI's
    `messages`, each with `role` and `content`), "json" the prompt's parts with the template and the label words,
    "dspy" the state of a predictor of DSPy, "promptfoo" a configuration of that name.

    Raises:
        UnknownNameError: there is no such format.
        RunError: the prompt is no text, its labels are told by hidden states, it is an average of several and the
            format has room for one, or it has demonstrations that the format cannot hold.
    """
    if form not in FORMATS:
        raise unknown_name("format", form, FORMATS)
    if saved.readout:
        raise RunError("the prompt's labels are told by hidden states of its model, which no text carries")
    if not isinstance(saved.prompt, TextPrompt):
        kind = type(saved.prompt).__name__
        raise RunError(f"only text prompts can be written as text, this one is a {kind} for {saved.model}")
    if (saved.finished.members or saved.finished.templates) and form != "json":
        count = max(1, len(saved.finished.members)) * max(1, len(saved.finished.templates))
        raise RunError(f"the prompt is an average of {count}, which no single text is; use format 'json'")
    return FORMATS[form](saved.prompt, saved)


def _text(prompt: TextPrompt, saved: SavedPrompt) -> str:
    return one_text(prompt, _row(prompt, saved)) + "\n"


def _messages(prompt: TextPrompt, saved: SavedPrompt) -> str:
    said = conversation(prompt, _row(prompt, saved))
    turns = [("system", said.system)] if said.system else []
    messages = [{"role": who, "content": what} for who, what in (*turns, *said.turns)]
    return json.dumps(messages, ensure_ascii=False, indent=2) + "\n"


def _json(prompt: TextPrompt, saved: SavedPrompt) -> str:
    task = {"template": saved.template, **saved.blank.terms}
    values: dict[str, object] = {
        "prompt": prompt_to_dict(prompt),
        "task": task,
        "model": saved.model,
        "scores": dict(saved.scores),
    }
    values |= saved.finished.to_dict()
    return json.dumps(values, ensure_ascii=False, indent=2) + "\n"


def _row(prompt: TextPrompt, saved: SavedPrompt) -> Query:
    """A row of slots."""
    template = Template(prompt.template or saved.template)
    return template.render({name: f"{{{name}}}" for name in template.fields}, (), where="the template")


FORMATS: dict[str, Callable[[TextPrompt, SavedPrompt], str]] = {
    "text": _text,
    "messages": _messages,
    "json": _json,
    "dspy": dspy_state,
    "promptfoo": promptfoo_config,
}
"""By name."""
