"""What is read from what models write; the refusals are the ways in which other searches have failed."""

import pytest

from blackbox.backends import Written
from blackbox.proposing.reading import read
from blackbox.proposing.refusal import Refusal

GOOD = "Decide whether the film is liked."


@pytest.mark.parametrize(
    "text",
    [
        f"<prompt>{GOOD}</prompt>",
        f"  <prompt>\n{GOOD}\n</prompt>\n",
        f"<PROMPT>{GOOD}</Prompt>",
        f"< prompt >{GOOD}</ prompt >",
        f"1. Crossover: Judge the film.\n2. Final: <prompt>{GOOD}</prompt>",
        f"<prompt>Judge it.</prompt>\nMutated:\n<prompt>{GOOD}</prompt>",
        f"<prompt>The final prompt is <prompt>{GOOD}</prompt>",
        f'<prompt>"{GOOD}"</prompt>',
        f"<prompt>“{GOOD}”</prompt>",
        f"<prompt>```\n{GOOD}\n```</prompt>",
        f"```text\n{GOOD}\n```",
        f"<prompt>Final prompt: {GOOD}</prompt>",
        f'**New instruction:** "{GOOD}"',
        f"Instruction: {GOOD}",
        GOOD,
        f"<prompt>{GOOD}",
        f"{GOOD}</prompt>",
        f"{GOOD}</prompt>\nThis one is clearer.",
    ],
)
def test_an_instruction_is_found_in_many_forms(text: str) -> None:
    assert read(Written(text)) == GOOD


def test_an_instruction_of_several_lines_is_taken_from_tags() -> None:
    assert read(Written(f"<prompt>{GOOD}\n\n- Irony counts.</prompt>")) == f"{GOOD}\n\n- Irony counts."


def test_a_whole_pair_of_tags_is_whole_although_what_follows_was_cut_off() -> None:
    assert read(Written(f"<prompt>{GOOD}</prompt> I chose it bec", cut=True)) == GOOD


@pytest.mark.parametrize(
    ("written", "refusal"),
    [
        (None, Refusal.MISSING),
        (Written(""), Refusal.EMPTY),
        (Written("  \n "), Refusal.EMPTY),
        (Written("<prompt></prompt>"), Refusal.EMPTY),
        (Written("<prompt> \n</prompt>"), Refusal.EMPTY),
        (Written("", cut=True), Refusal.CUT),
        # gepa#390: 13 of 23 candidates, the winner too, were halves
        (Written("<prompt>Decide whether the film is", cut=True), Refusal.CUT),
        (Written("Decide whether the film is", cut=True), Refusal.CUT),
        (Written("<prompt>Judge it.</prompt>\n2. Mutated: <prompt>Decide whether", cut=True), Refusal.CUT),
        (Written("1. Both prompts judge films.\n2. One is longer, and", cut=True), Refusal.CUT),
        (Written("Here is a better instruction: judge the film."), Refusal.UNREADABLE),
        (Written("Sure! Judge the film."), Refusal.UNREADABLE),
        (Written("Step 1: cross over. Step 2: mutate."), Refusal.UNREADABLE),
        (Written("1. Judge the film. 2. Say so."), Refusal.UNREADABLE),
        (Written("The new instruction is to judge the film."), Refusal.UNREADABLE),
        (Written("Both instructions ask for a judgement.\n\nA better one would be shorter."), Refusal.UNREADABLE),
        (Written("The following:"), Refusal.UNREADABLE),
        (Written("I'm sorry, but I can't help with that."), Refusal.DECLINED),
        (Written("I’m unable to write prompts."), Refusal.DECLINED),
        (Written("As an AI language model, I have no opinion on films."), Refusal.DECLINED),
        (Written("<prompt>I cannot help with that.</prompt>"), Refusal.DECLINED),
        (Written("I apologize, <prompt>nothing</prompt>"), Refusal.DECLINED),
    ],
)
def test_what_may_be_half_of_an_instruction_or_none_is_refused(written: Written | None, refusal: Refusal) -> None:
    assert read(written) is refusal
