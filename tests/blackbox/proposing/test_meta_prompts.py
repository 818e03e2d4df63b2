import pytest

from blackbox.proposing import meta_prompts
from blackbox.proposing.meta_prompts import HEAD, LIMIT, Failed, again, fixed_parts

ABOUT = "The instruction stands in front of an input. The model answers with one of: bad, great."
LONG = "word " * 200_000
TEXTS = {
    "cross": lambda text: meta_prompts.cross(text, f"{text}2", about=ABOUT),
    "mutate": lambda text: meta_prompts.mutate(text, about=ABOUT),
    "differ": lambda text: meta_prompts.differ(text, f"{text}2", f"{text}3", f"{text}4", about=ABOUT),
    "reflect": lambda text: meta_prompts.reflect(text, [Failed(f"{text}5", "bad", "great")] * 4, about=ABOUT),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_a_meta_prompt_holds_what_it_is_about_and_asks_for_tags(kind: str) -> None:
    text = TEXTS[kind]("Judge it.")
    assert "Judge it." in text
    assert ABOUT in text
    assert "between <prompt> and </prompt>" in text


@pytest.mark.parametrize("kind", TEXTS)
def test_a_meta_prompt_is_of_bounded_length_whatever_it_holds(kind: str) -> None:
    """dspy#9059: a reflection of 568,000 tokens."""
    text = TEXTS[kind](LONG)
    assert LIMIT - 100 <= len(HEAD) + len(text) + len(again(12)) <= LIMIT
    assert "…" in text
    assert ABOUT in text
    assert text.endswith("between <prompt> and </prompt>.\n")


def test_the_reflection_shows_what_was_answered_and_what_is_right() -> None:
    text = meta_prompts.reflect(
        "Judge it.", [Failed("A film.", "bad", "great"), Failed("A book.", "dull", "fine")], about=""
    )
    for part in ("A film.", "A book.", "answered: bad", "answered: dull", "right answer: great", "right answer: fine"):
        assert part in text


def test_an_instruction_that_says_nothing_is_named_as_that() -> None:
    assert "(no instruction)" in meta_prompts.mutate("", about=ABOUT)


def test_the_fixed_parts_hold_nothing_that_is_given() -> None:
    parts = fixed_parts()
    assert HEAD in parts
    for kind, make in TEXTS.items():
        text = make("Judge it.")
        assert [part for part in parts if part in text] == [part for part in parts if part in make("Judge that.")], kind
    assert not any("\0" in part for part in parts)
