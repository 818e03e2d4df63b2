import json
from pathlib import Path

import pytest

from blackbox.backends import Demonstration, TextPrompt
from blackbox.errors import DataError, SettingError
from blackbox.text_prompts import prompt_from_dict, prompt_to_dict, text_prompts

SHOWN = TextPrompt("Say it. ", (Demonstration("A bad day. It was ", "bad", "."),), "system")


def test_prompts_are_texts_or_objects() -> None:
    assert text_prompts(["One.", {"text": "Two.", "role": "system"}]) == [
        TextPrompt("One."),
        TextPrompt("Two.", role="system"),
    ]
    assert text_prompts(["One."], role="system") == [TextPrompt("One.", role="system")]


def test_a_prompt_goes_through_json() -> None:
    assert prompt_from_dict(json.loads(json.dumps(prompt_to_dict(SHOWN)))) == SHOWN


def test_a_prompt_of_a_form_of_its_own_goes_through_json_and_others_do_not_name_it() -> None:
    own = TextPrompt("", (Demonstration("a", "b", row=3),), template="{text} {label}", label_words=("poor", "fine"))
    values = json.loads(json.dumps(prompt_to_dict(own)))
    assert prompt_from_dict(values) == own
    assert values["demonstrations"][0]["row"] == 3
    plain = prompt_to_dict(SHOWN)
    assert plain == {
        "text": "Say it. ",
        "demonstrations": [{"before": "A bad day. It was ", "answer": "bad", "after": "."}],
        "role": "system",
    }


def test_a_text_file_has_a_prompt_a_line(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("One.\n\nZwei, bitte.\n", encoding="utf-8")
    assert text_prompts(str(tmp_path / "p.txt")) == [TextPrompt("One."), TextPrompt("Zwei, bitte.")]


def test_a_jsonl_file_has_an_object_a_line(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text(json.dumps(prompt_to_dict(SHOWN)) + "\n", encoding="utf-8")
    assert text_prompts(str(tmp_path / "p.jsonl")) == [SHOWN]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([{"role": "user"}], "prompt 1 is none: text: field required"),
        (["a", {"text": "b", "role": "boss"}], "prompt 2 is none: role: input should be 'user' or 'system'"),
        ([{"text": 3}], "prompt 1 is none: text: input should be a valid string"),
    ],
)
def test_what_is_no_prompt_is_refused_by_its_number(given: list[object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        text_prompts(given)  # type: ignore[arg-type]


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        text_prompts(str(tmp_path / "none.txt"))
    with pytest.raises(DataError, match=r"read from \.txt and \.jsonl files, got \.md"):
        text_prompts(str(tmp_path / "p.md"))
    with pytest.raises(SettingError, match="needs `prompts`"):
        text_prompts(None)


def test_all_of_a_prompt_stands_before_the_query_in_one_text() -> None:
    assert SHOWN.whole == "Say it. A bad day. It was bad.\n\n"
