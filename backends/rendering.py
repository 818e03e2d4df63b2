"""Text prompts as messages or as one text: the fixed part first, so that what all rows share need be read once."""

from dataclasses import dataclass

from blackbox.backends.base import Query
from blackbox.backends.prompts import TextPrompt


@dataclass(frozen=True)
class Conversation:
    """What a chat model reads.

    Attributes:
        system: what the system says, if anything.
        turns: who says what, from the first; the last turn is the row, and the user's.
    """

    system: str
    turns: tuple[tuple[str, str], ...]

    @property
    def n_bytes(self) -> int:
        """Bytes of all texts in UTF-8: a tokenizer makes a token of each at most."""
        return sum(len(text.encode()) for text in (self.system, *(text for _, text in self.turns)))


def conversation(prompt: TextPrompt, query: Query) -> Conversation:
    """Demonstrations are turns of the user and of the model; an instruction of the user stands before the first row."""
    rows = [*(shown.before for shown in prompt.demonstrations), query.before]
    answers = [shown.answer + shown.after for shown in prompt.demonstrations]
    if prompt.role == "user":
        rows[0] = prompt.text + rows[0]
    turns: list[tuple[str, str]] = []
    for row, answer in zip(rows, [*answers, None], strict=True):
        turns.append(("user", row.strip()))
        if answer is not None:
            turns.append(("assistant", answer.strip()))
    return Conversation(prompt.text.strip() if prompt.role == "system" else "", tuple(turns))


def one_text(prompt: TextPrompt, query: Query) -> str:
    """What a model that goes on with a text reads. The blank that ends it, if any, belongs to the answer."""
    return (prompt.whole + query.before).rstrip()
