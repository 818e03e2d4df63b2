"""Meta prompts: what a model is told that writes new instructions. All of them are of bounded length.

Crossover and differential evolution are those of EvoPrompt (Guo et al. 2024, arXiv 2309.08532, figures 1 and 2), the
reflection follows GEPA's (Agrawal et al. 2025, arXiv 2507.19457, appendix), adapted: they say what the instruction is
for, ask for no examples, and fit a small context. The induction is APE's (Zhou et al. 2023, arXiv 2211.01910), as
InstructZero asks it (Chen et al. 2023, arXiv 2306.03082): no request, but a text that the model goes on with.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from blackbox.proposing.bounded import Given, bounded

LIMIT = 6000
"""Characters of a whole meta prompt, `HEAD` included: some 1,500 tokens."""

HEAD = "You improve the instructions that are given to a language model.\n\n"
"""Stands in front of every meta prompt."""

INDUCTION = "I gave a friend an instruction."
"""Begins a text that shall go on with an instruction."""

NO_INSTRUCTION = "(no instruction)"

_END = (
    "The final instruction must make sense by itself, must not contain examples from the data, and must not mention "
    "these steps. Write it between <prompt> and </prompt>."
)


@dataclass(frozen=True)
class Failed:
    """A row as the model saw it, and what came of it."""

    row: str
    answered: str
    right: str


def cross(first: str, second: str, *, about: str) -> str:
    """A child of two: crossed, then mutated."""
    return _text(
        about,
        "Follow these steps to write a better instruction.\n"
        "1. Cross over the following two instructions into a new one.\n\nInstruction 1: ",
        _given(first),
        "\n\nInstruction 2: ",
        _given(second),
        "\n\n2. Mutate the instruction from step 1 into a final one.\n\n",
    )


def mutate(instruction: str, *, about: str) -> str:
    """Another way to say it, or, where there is none, a first one."""
    return _text(
        about,
        "Write a better instruction: say the following one in other words, and make it clearer or more precise.\n\n"
        "Instruction: ",
        _given(instruction),
        "\n\n",
    )


def differ(first: str, second: str, best: str, base: str, *, about: str) -> str:
    """Differential evolution: what two differ in, mutated, put into the best, crossed with the one to be replaced."""
    return _text(
        about,
        "Follow these steps to write a better instruction.\n"
        "1. Find the parts in which the following two instructions differ.\n\nInstruction 1: ",
        _given(first),
        "\n\nInstruction 2: ",
        _given(second),
        "\n\n2. Mutate these parts.\n"
        "3. Put the mutated parts into the following instruction, where they fit.\n\nInstruction 3: ",
        _given(best),
        "\n\n4. Cross over the instruction from step 3 with the following one into a final one.\n\nInstruction 4: ",
        _given(base),
        "\n\n",
    )


def reflect(instruction: str, failed: Sequence[Failed], *, about: str) -> str:
    """An instruction, and rows on which it fails."""
    rows: list[str | Given] = []
    for number, one in enumerate(failed, start=1):
        parts = (f"Case {number}: ", "\nThe model answered: ", "\nThe right answer: ")
        texts = (one.row, one.answered, one.right)
        rows += [piece for part, text in zip(parts, texts, strict=True) for piece in (part, Given(text.strip()))]
        rows.append("\n\n")
    return _text(
        about,
        "A language model was given this instruction:\n\n",
        _given(instruction),
        "\n\nThese are cases from its work:\n\n",
        *rows,
        "Find out what the model misunderstood, and write a better instruction that would also help with other cases "
        "of this kind. State general rules; do not quote the cases.\n\n",
    )


def induce(pairs: Sequence[tuple[str, str]]) -> str:
    """What follows `INDUCTION`: inputs and outputs of some rows, and the beginning of a sentence."""
    shown: list[str | Given] = []
    for given, right in pairs:
        shown += ["Input: ", Given(given.strip()), "\nOutput: ", Given(right.strip()), "\n\n"]
    parts = (
        " Based on the instruction they produced the following input-output pairs:\n\n",
        *shown,
        "The instruction was to",
    )
    return bounded(parts, LIMIT - len(INDUCTION))


def about(fields: Sequence[str], words: Sequence[str]) -> str:
    """What an instruction is for.

    Args:
        fields: of the input.
        words: that the model may answer with; none: whatever it writes.
    """
    answers = f"with one of: {', '.join(words)}" if words else "in a few words"
    named = ", ".join(f'"{field}"' for field in fields)
    return f"The instruction stands in front of an input with the fields {named}. The model answers {answers}."


def again(number: int) -> str:
    """Behind a meta prompt that is asked several times; nothing behind the first."""
    return f"This is version {number}: it must differ from the earlier ones.\n" if number > 1 else ""


def fixed_parts() -> tuple[str, ...]:
    """The texts that are the same in all meta prompts of a kind; none of them belongs in an instruction."""
    nothing = "\0"
    failed = [Failed(nothing, nothing, nothing)]
    texts = (
        cross(nothing, nothing, about=nothing),
        mutate(nothing, about=nothing),
        differ(nothing, nothing, nothing, nothing, about=nothing),
        reflect(nothing, failed, about=nothing),
        induce([(nothing, nothing)]),
        about([nothing], [nothing]),
        about([nothing], []),
    )
    return (HEAD, again(2), *(part for text in texts for part in text.split(nothing) if part.strip()))


def _text(about: str, *parts: str | Given) -> str:
    """What follows `HEAD`."""
    room = LIMIT - len(HEAD) - len(again(10**6))
    return bounded([Given(about), "\n\n", *parts, _END, "\n"], room)


def _given(instruction: str) -> Given:
    return Given(instruction.strip() or NO_INSTRUCTION)
