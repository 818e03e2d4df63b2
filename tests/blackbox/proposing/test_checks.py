import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackbox.proposing.checks import ECHO, Checks
from blackbox.proposing.copying import Copies
from blackbox.proposing.meta_prompts import fixed_parts
from blackbox.proposing.refusal import Refusal
from blackbox.proposing.words import words
from tests.blackbox.proposing.instructions import CUT, ECHOED, GOOD, NUMBERS, POOR, REPEATED, TALK

ROWS = [["The film is a slow and tender look at two old friends who meet again."]]
OF_200 = (
    "Decide whether the author of this review would tell a good friend to see the film. Count irony as blame, and "
    "weigh the last sentence more than the first one. Answer with one of the two words, no more."
)
KNOWN = ("", "Classify the text.", "Decide which label fits.")


@pytest.fixture(scope="module")
def checks() -> Checks:
    return Checks(Copies(ROWS, KNOWN), ("great", "not bad"), longest=200)


@pytest.fixture(scope="module")
def long() -> Checks:
    """For instructions of any length."""
    return Checks(Copies(ROWS, KNOWN), longest=10**6)


@pytest.mark.parametrize(
    ("instruction", "refusal"),
    [
        ("...", Refusal.EMPTY),
        ("---", Refusal.EMPTY),
        ("x" * 201, Refusal.LONG),
        ("Classify the text.", Refusal.KNOWN),
        (" classify  the TEXT", Refusal.KNOWN),
        ("Say great when you see a slow and tender look at two old friends.", Refusal.COPIED),
        ("Judge it. Write it between <prompt> and </prompt>.", Refusal.UNREADABLE),
        ("Judge it.<|im_end|>", Refusal.UNREADABLE),
        ("Judge it.</s>", Refusal.UNREADABLE),
        ("[INST] Judge it.", Refusal.UNREADABLE),
        ("Judge\x00 it.", Refusal.UNREADABLE),
        ("Judge it.\ufffd", Refusal.UNREADABLE),
        ("You improve the instructions that are given to a model.", Refusal.ECHOED),
        ("Follow these steps to write a better instruction.", Refusal.ECHOED),
        ("Find out what the model misunderstood, and write it down.", Refusal.ECHOED),
        ("Combine Instruction 1 and Instruction 2.", Refusal.ECHOED),
        ("As in Case 3, be careful.", Refusal.ECHOED),
        ("Judge {text} by its tone.", Refusal.ECHOED),
        ("Judge [your text here] by its tone.", Refusal.ECHOED),
        ("Judge <the input> by its tone.", Refusal.ECHOED),
        ("Judge the film by its tone, and…", Refusal.ECHOED),
        ("Judge the film by its tone, and...", Refusal.ECHOED),
        ("(no instruction)", Refusal.ECHOED),
        ("Great!", Refusal.ANSWER),
        ("not bad", Refusal.ANSWER),
        (OF_200 + ".", Refusal.LONG),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(checks: Checks, instruction: str, refusal: Refusal) -> None:
    assert checks.refusal(instruction, KNOWN) is refusal


@pytest.mark.parametrize(
    "instruction",
    [
        "Classify the text carefully.",
        "Decide which label fits; irony counts as bad.",
        "Read the review [twice] and answer (in one word) with its tone.",
        "If the price is < 10 and > 5, say fair.",
        "Lies den Text und entscheide, ob er gut ist.",
        "判断文本的情感。",
        OF_200,
    ],
)
def test_what_can_be_used_is_not_refused(checks: Checks, instruction: str) -> None:
    assert checks.refusal(instruction, KNOWN) is None


@pytest.mark.parametrize("instruction", GOOD)
def test_an_instruction_from_real_use_is_not_refused(long: Checks, instruction: str) -> None:
    assert long.refusal(instruction, KNOWN) is None


@pytest.mark.parametrize("babble", [*REPEATED, *POOR, *NUMBERS, *CUT, *ECHOED])
def test_babble_is_refused(long: Checks, babble: str) -> None:
    assert long.refusal(babble, KNOWN) is not None


@pytest.mark.parametrize("talk", TALK)
def test_what_speaks_of_instructions_is_none_unless_one_that_is_given_does(long: Checks, talk: str) -> None:
    assert long.refusal(talk, KNOWN) is Refusal.TALK
    assert long.refusal(talk, [*KNOWN, "Judge whether the new instruction is better."]) is None


@pytest.mark.parametrize("echo", ECHOED)
def test_sentences_of_the_meta_prompts_are_echoes(long: Checks, echo: str) -> None:
    assert long.refusal(echo, KNOWN) is Refusal.ECHOED


@given(st.sampled_from([part for part in fixed_parts() if len(words(part)) >= ECHO]), st.integers(0, 60), st.data())
def test_any_part_of_a_meta_prompt_is_an_echo(long: Checks, part: str, first: int, data: st.DataObject) -> None:
    spoken = words(part)
    start = first % (len(spoken) - ECHO + 1)
    end = data.draw(st.integers(start + ECHO, len(spoken)))
    assert long.refusal(" ".join(spoken[start:end]), KNOWN) is Refusal.ECHOED
