from hypothesis import given
from hypothesis import strategies as st

from blackbox.backends.base import Query
from blackbox.backends.prompts import Demonstration, TextPrompt
from blackbox.backends.rendering import conversation, one_text

ROW = Query("A dull film. It was ", ("bad", "great"))
SHOWN = (Demonstration("Fine acting. It was ", "great", "."), Demonstration("A mess. It was ", "bad", "."))


def test_an_instruction_of_the_user_stands_before_the_row() -> None:
    said = conversation(TextPrompt("Judge the film. "), ROW)
    assert said.system == ""
    assert said.turns == (("user", "Judge the film. A dull film. It was"),)


def test_an_instruction_of_the_system_is_apart_from_the_row() -> None:
    said = conversation(TextPrompt("Judge the film. ", role="system"), ROW)
    assert said.system == "Judge the film."
    assert said.turns == (("user", "A dull film. It was"),)


def test_demonstrations_are_turns_of_the_user_and_the_model_and_the_row_is_last() -> None:
    assert conversation(TextPrompt("Judge the film. ", SHOWN), ROW).turns == (
        ("user", "Judge the film. Fine acting. It was"),
        ("assistant", "great."),
        ("user", "A mess. It was"),
        ("assistant", "bad."),
        ("user", "A dull film. It was"),
    )


def test_what_rows_share_comes_first_so_that_a_prompt_cache_serves_them_all() -> None:
    prompt, other = TextPrompt("Judge the film. ", SHOWN), Query("A fine film. It was ", ROW.options)
    assert conversation(prompt, ROW).turns[:-1] == conversation(prompt, other).turns[:-1]
    shared = prompt.whole
    assert one_text(prompt, ROW).startswith(shared)
    assert one_text(prompt, other).startswith(shared)


def test_no_text_in_a_conversation_ends_in_a_blank() -> None:
    """Anthropic refuses a last turn that does."""
    prompt = TextPrompt("Judge. ", (Demonstration(" Fine. It was ", "great\n", "\n"),))
    assert [text for _, text in conversation(prompt, ROW).turns] == [
        "Judge.  Fine. It was",
        "great",
        "A dull film. It was",
    ]


def test_one_text_is_the_prompt_its_demonstrations_and_the_row_without_the_blank_at_its_end() -> None:
    assert one_text(TextPrompt("Judge. ", SHOWN), ROW) == (
        "Judge. Fine acting. It was great.\n\nA mess. It was bad.\n\nA dull film. It was"
    )


@given(st.text(), st.text(), st.text(), st.sampled_from(["user", "system"]))
def test_the_bytes_of_a_conversation_are_those_of_its_texts(text: str, before: str, answer: str, role: str) -> None:
    prompt = TextPrompt(text, (Demonstration(before, answer),), role="user" if role == "user" else "system")
    said = conversation(prompt, ROW)
    assert said.n_bytes == len("".join([said.system, *(what for _, what in said.turns)]).encode())


def test_bytes_are_counted_and_not_letters() -> None:
    assert conversation(TextPrompt(""), Query("für 映画", ("a", "b"))).n_bytes == 4 + 1 + 6
