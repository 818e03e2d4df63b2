import importlib.util
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from jinja2 import Environment

from blackbox.backends import Demonstration, FakeBackend, TextPrompt
from blackbox.errors import RunError, UnknownNameError
from blackbox.export import exported
from blackbox.saved_prompt import SavedPrompt
from tests.blackbox.small import make_target_task, make_task

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


def test_dspy_gets_the_instruction_the_fields_and_the_demonstrations() -> None:
    state = json.loads(exported(SAVED, "dspy"))
    assert state["signature"]["instructions"] == "Classify {it}."
    assert state["signature"]["fields"] == [
        {"prefix": "Text:", "description": "${text}"},
        {"prefix": "Label:", "description": "one of: bad, great"},
    ]
    assert state["demos"] == [{"text": "A day.", "label": "bad"}]


def test_a_demonstration_is_read_by_the_prompts_own_template() -> None:
    shown = Demonstration("{Q} a\nb again a\nb\nA: ", "great", " (t) ")
    own = replace(
        PROMPT, demonstrations=(shown,), template="{{Q}} {first_part} again {first_part}\nA: {label} ({text}) "
    )
    state = json.loads(exported(replace(SAVED, prompt=own), "dspy"))
    assert state["demos"] == [{"first_part": "a\nb", "text": "t", "label": "great"}]
    assert state["signature"]["fields"][0]["prefix"] == "First Part:"
    with pytest.raises(RunError, match="demonstration 2 is no row in the template"):
        exported(replace(SAVED, prompt=replace(own, demonstrations=(shown, Demonstration("A: ", "bad")))), "dspy")


def test_targets_have_their_own_field_in_dspy() -> None:
    task = make_target_task(template="{question}\n{label}")
    prompt = TextPrompt("Add.", (Demonstration("1 + 1?\n", "2"),))
    state = json.loads(exported(SavedPrompt.of(prompt, backend=FakeBackend(), task=task, scores={}), "dspy"))
    assert state["demos"] == [{"question": "1 + 1?", "target": "2"}]


@pytest.mark.skipif(importlib.util.find_spec("dspy") is None, reason="dspy is not installed")
def test_dspy_loads_what_is_written(tmp_path: Path) -> None:
    import dspy

    (tmp_path / "prompt.json").write_text(exported(SAVED, "dspy"))
    predict = dspy.Predict("text -> label")
    predict.load(str(tmp_path / "prompt.json"))
    assert predict.signature.instructions == "Classify {it}."
    assert predict.signature.output_fields["label"].json_schema_extra["desc"] == "one of: bad, great"
    assert [dict(one) for one in predict.demos] == [{"text": "A day.", "label": "bad"}]


def test_promptfoo_gets_messages_with_places_for_a_rows_fields() -> None:
    odd = 'Braces {{ text }} {{{3}}} {% if %} {# no #} {one} and \\ " \x7f é'
    prompt = TextPrompt(odd, (Demonstration("A day. It was ", "bad"),), role="system")
    config = yaml.safe_load(exported(replace(SAVED, prompt=prompt, template="{{{text}}} It was {label}"), "promptfoo"))
    (messages,) = config["prompts"]
    rendered = [{**one, "content": nunjucks(one["content"], text="X")} for one in json.loads(messages)]
    assert rendered == [
        {"role": "system", "content": odd},
        {"role": "user", "content": "A day. It was"},
        {"role": "assistant", "content": "bad"},
        {"role": "user", "content": "{X} It was"},
    ]
    assert not re.search(r"\{#|#\}", messages)  # for Nunjucks, unlike Jinja, a comment even in a constant
    assert config["tests"] == [{"vars": {"text": "..."}}]
    assert config["defaultTest"]["assert"] == [{"type": "contains-any", "value": ["bad", "great"]}]
    assert config["providers"] == ["openai:chat:fake"]


def nunjucks(template: str, **fields: str) -> str:
    """What promptfoo's templates make of a text; Jinja reads these the same way."""
    return Environment(keep_trailing_newline=True).from_string(template).render(fields)
