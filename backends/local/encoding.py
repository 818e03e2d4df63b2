"""Queries as token sequences, and which output positions answer them.

Where every option is a single token, one sequence answers a query: the logits behind the text at the options'
columns. Otherwise there is a sequence for each option, and its tokens' log-likelihoods are summed. Text and option
are tokenised together, as lm-evaluation-harness does, because the blank between them belongs to the option.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from blackbox.backends.base import Query
from blackbox.backends.errors import LabelWordError, QueryError

ALL_OPTIONS = -1


@dataclass(frozen=True)
class TokenSequence:
    """One sequence of a forward pass, prompt not included.

    Attributes:
        ids: the tokens to be read.
        query: index of the query that it answers.
        option: index of the option that it spells out, or ALL_OPTIONS where one position answers for all.
        targets: the option's tokens, or one token for each option where `option` is ALL_OPTIONS.
    """

    ids: tuple[int, ...]
    query: int
    option: int
    targets: tuple[int, ...]

    @property
    def n_read(self) -> int:
        """How many positions are read, counted from the end of `ids`."""
        return 1 if self.option == ALL_OPTIONS else len(self.targets)


class QueryEncoder:
    """Encodes queries with a tokenizer of transformers."""

    def __init__(self, tokenizer: Any, *, single_token_labels: bool, max_tokens: int) -> None:
        """`max_tokens`: the longest sequence that the model reads."""
        self._tokenizer = tokenizer
        self._single_token_labels = single_token_labels
        self._max_tokens = max_tokens
        self.prefix = self._prefix()

    def encode_text(self, text: str) -> tuple[int, ...]:
        """The tokens of a text without special tokens."""
        return tuple(self._tokenizer(text, add_special_tokens=False).input_ids)

    def sequences(self, queries: Sequence[Query], *, n_prompt_tokens: int) -> list[TokenSequence]:
        """The sequences that answer the queries, shortest first.

        Raises:
            LabelWordError: an option without a token, or of several where single tokens are demanded.
            QueryError: prompt and query are longer than the model can read.
        """
        encoded = [sequence for index, query in enumerate(queries) for sequence in self._encode(index, query)]
        for sequence in encoded:
            length = len(self.prefix) + n_prompt_tokens + len(sequence.ids)
            if length > self._max_tokens:
                start = queries[sequence.query].before[:40]
                raise QueryError(
                    f"row {sequence.query + 1} of this call ({start!r}...) is {length} tokens long with its prompt; "
                    f"the model reads {self._max_tokens}: shorten the row"
                )
        return sorted(encoded, key=lambda sequence: len(sequence.ids))

    def _encode(self, index: int, query: Query) -> Iterator[TokenSequence]:
        text = query.before.rstrip()
        blank = query.before[len(text) :]
        context = self.encode_text(text)
        if not context:
            raise QueryError(f"row {index + 1} of this call has no text in front of its label")
        options = [self._option(text, context, blank, option) for option in query.options]
        if all(len(tokens) == 1 for tokens in options):
            yield TokenSequence(context, index, ALL_OPTIONS, tuple(tokens[0] for tokens in options))
            return
        for number, tokens in enumerate(options):
            yield TokenSequence(context + tokens[:-1], index, number, tokens)

    def _option(self, text: str, context: tuple[int, ...], blank: str, option: str) -> tuple[int, ...]:
        whole = self.encode_text(text + blank + option)
        split = len(context)
        tokens = whole[split:] if whole[:split] == context else self.encode_text(blank + option)
        if not tokens:
            raise LabelWordError(f"label word {option!r} has no token in this model's vocabulary; choose another word")
        if self._single_token_labels and len(tokens) > 1:
            pieces = self._tokenizer.convert_ids_to_tokens(list(tokens))
            raise LabelWordError(
                f"label word {option!r} is {len(tokens)} tokens of this model ({' '.join(pieces)}) and one is "
                "needed; choose another word or set single_token_labels = false"
            )
        return tokens

    def _prefix(self) -> tuple[int, ...]:
        """The special token that begins every text of this model (BOS), where it has one."""
        begin = self._tokenizer.bos_token_id
        special = self._tokenizer("").input_ids
        return (begin,) if begin is not None and special[:1] == [begin] else ()


Batch = tuple[TokenSequence, ...]


def cut_batches(sequences: Sequence[TokenSequence], *, extra: int, batch_tokens: int) -> Iterator[Batch]:
    """Cut sequences, shortest first, into batches of at most `batch_tokens` tokens, padding included.

    Args:
        extra: tokens that stand before each sequence (prompt and prefix).
        batch_tokens: a single sequence that is longer gets a batch of its own.
    """
    batch: list[TokenSequence] = []
    for sequence in sequences:
        if batch and (len(batch) + 1) * (extra + len(sequence.ids)) > batch_tokens:
            yield tuple(batch)
            batch = []
        batch.append(sequence)
    if batch:
        yield tuple(batch)
