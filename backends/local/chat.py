"""Text prompts as a chat model has learned to read them: through the template that its tokenizer brings."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from jinja2 import TemplateError

from blackbox.backends.base import Query
from blackbox.backends.local.placed import PlacedPrompt
from blackbox.backends.local.sequences import TokenSequence
from blackbox.backends.prompts import TextPrompt
from blackbox.backends.rendering import Conversation, conversation

Tokens = tuple[int, ...]
Turns = list[dict[str, str]]


class Chat:
    """See the module.

    Args:
        tokenizer: of transformers, with a chat template.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def read(self, prompt: TextPrompt, queries: Sequence[Query]) -> tuple[PlacedPrompt, tuple[TokenSequence, ...]]:
        """What all rows begin with, and the rest of each row, up to where the model's turn begins."""
        whole = [self._tokens(conversation(prompt, query)) for query in queries]
        alike = takewhile(lambda column: len(set(column)) == 1, zip(*whole, strict=False))
        shared = min([len(list(alike)), *(len(tokens) - 1 for tokens in whole)])
        rests = (tokens[shared:] for tokens in whole)
        rows = tuple(TokenSequence(rest, number, (), (0,) * len(rest)) for number, rest in enumerate(rests))
        return PlacedPrompt(whole[0][:shared] if whole else (), 0, {}), rows

    def _tokens(self, said: Conversation) -> Tokens:
        turns = [{"role": who, "content": what} for who, what in said.turns]
        system = [{"role": "system", "content": said.system}] if said.system else []
        try:
            text = self._rendered([*system, *turns])
        except TemplateError:  # Gemma's knows no system: the first turn begins with what it says
            turns[0]["content"] = f"{said.system}\n\n{turns[0]['content']}"
            text = self._rendered(turns)
        return tuple(self._tokenizer(text, add_special_tokens=False).input_ids)

    def _rendered(self, turns: Turns) -> str:
        return str(self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))
