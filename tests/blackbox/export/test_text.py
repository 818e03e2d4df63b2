import json
from dataclasses import replace

import pytest

from blackbox.backends import Demonstration, FakeBackend, TextPrompt
from blackbox.errors import RunError, UnknownNameError
from blackbox.export import exported
from blackbox.saved_prompt import SavedPrompt
from tests.blackbox.small import make_task

PROMPT = TextPrompt("Classify {it}.\n\n", (Demonstration("A day. It was ", "bad", "."),))
SAVED = SavedPrompt.of(PROMPT, backend=FakeBackend(), task=make_task(template="{text} It was {label}"), scores={})


def test_a_text_to_paste_has_a_slot_where_the_row_goes() -> None:
    assert exported(SAVED, "text") == "Classify {it}.\n\nA day. It was bad.\n\n{text} It was\n"


def test_messages_are_those_that_a_chat_model_is_asked_with() -> None:
    assert json.loads(exported(SAVED, "messages")) == [
        {"role": "user", "content": "Classify {it}.\n\nA day. It was"},
        {"role": "assistant", "content": "bad."},
        {"role": "user", "content": "{text} It was"},
    ]
    system = replace(SAVED, prompt=replace(PROMPT, role="system"))
    assert json.loads(exported(system, "messages"))[0] == {"role": "system", "content": "Classify {it}."}


def test_a_template_of_the_prompt_goes_before_the_tasks() -> None:
    own = replace(SAVED, prompt=replace(PROMPT, template="Text: {text}\nAnswer: {label}"))
    assert exported(own, "text").endswith("\n\nText: {text}\nAnswer:\n")


def test_json_has_the_parts() -> None:
    values = json.loads(exported(SAVED, "json"))
    assert values["prompt"]["text"] == PROMPT.text
    assert values["prompt"]["demonstrations"][0]["answer"] == "bad"
    assert values["task"]["label_words"] == {"negative": "bad", "positive": "great"}
    assert values["task"]["template"] == "{text} It was {label}"


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="'text'"):
        exported(SAVED, "txt")
    soft = FakeBackend()
    vectors = SavedPrompt.of(soft.prefix_of([1, 2]), backend=soft, task=make_task(), scores={})
    with pytest.raises(RunError, match="only text prompts"):
        exported(vectors, "text")
