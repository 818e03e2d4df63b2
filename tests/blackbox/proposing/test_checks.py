import pytest

from blackbox.proposing.checks import Checks
from blackbox.proposing.copying import Copies
from blackbox.proposing.refusal import Refusal

ROWS = [["The film is a slow and tender look at two old friends who meet again."]]
KNOWN = ("", "Classify the text.", "Decide which label fits.")


@pytest.fixture(scope="module")
def checks() -> Checks:
    return Checks(Copies(ROWS, KNOWN), longest=200)


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
        "x" * 200,
    ],
)
def test_what_can_be_used_is_not_refused(checks: Checks, instruction: str) -> None:
    assert checks.refusal(instruction, KNOWN) is None
