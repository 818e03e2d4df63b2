"""Queries as token sequences: one class for each way in which models read.

Text and option are tokenised together, as lm-evaluation-harness does, because the blank between them belongs to the
option. An option of several tokens counts with the sum of its tokens' log-probabilities.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from blackbox.backends.base import Query
from blackbox.backends.errors import LabelWordError, QueryError
from blackbox.backends.fronts import Frame
from blackbox.backends.local.sequences import Target, TokenSequence

Tokens = tuple[int, ...]
_ANY = 0  # in the place of a token where all are told


class QueryEncoder(ABC):
    """Encodes queries with a tokenizer of transformers.

    Args:
        tokenizer: of the model.
        single_token_labels: refuse label words that are more than one token; targets may have any number.
        max_tokens: the longest sequence that the model reads.

    Attributes:
        max_tokens: as given.
        prefix: the token that begins every text, if there is one.
    """

    def __init__(self, tokenizer: Any, *, single_token_labels: bool, max_tokens: int) -> None:
        self._tokenizer = tokenizer
        self._single_token_labels = single_token_labels
        self.max_tokens = max_tokens
        special = tuple(tokenizer("").input_ids)
        begins = (tokenizer.bos_token_id, tokenizer.cls_token_id)
        ends = (tokenizer.eos_token_id, tokenizer.sep_token_id)
        self.prefix: Tokens = special[:1] if special[:1] and special[0] in begins else ()
        self._suffix: Tokens = special[-1:] if len(special) > len(self.prefix) and special[-1] in ends else ()

    @property
    @abstractmethod
    def frame(self) -> Frame:
        """What the model reads around a row's own tokens; positions begin at 0."""

    def encode_text(self, text: str) -> Tokens:
        """The tokens of a text without special tokens."""
        return tuple(self._tokenizer(text, add_special_tokens=False).input_ids)

    def sequences(self, queries: Sequence[Query]) -> list[TokenSequence]:
        """The sequences that answer the queries.

        Raises:
            LabelWordError: an option without a token, or of several where single tokens are demanded.
            QueryError: a query without text.
        """
        return [sequence for index, query in enumerate(queries) for sequence in self._encode(index, query)]

    def openings(self, queries: Sequence[Query]) -> list[TokenSequence]:
        """The sequences that a model goes on from, without options and what stands behind the blank.

        Raises:
            QueryError: a query without text.
        """
        return [self._opening_of(index, query) for index, query in enumerate(queries)]

    def blanks(self, queries: Sequence[Query]) -> list[TokenSequence]:
        """The sequences at whose one answering place the first token of the blank is told, whatever it is.

        White space in front of the blank is read with the text, but for a last space, which belongs to a word.

        Raises:
            QueryError: a query without text.
        """
        return [self._blank_of(index, query) for index, query in enumerate(queries)]

    def before_blank(self, query: Query) -> tuple[Tokens, str]:
        """The tokens in front of a blank, and what of white space belongs to a word in it: a space, or nothing."""
        spaced = query.before.endswith(" ")
        return self.encode_text(query.before[:-1] if spaced else query.before), " " if spaced else ""

    def check_length(self, queries: Sequence[Query], sequences: Sequence[TokenSequence], *, n_before: int) -> None:
        """Refuse a sequence that is too long behind `n_before` tokens.

        Raises:
            QueryError: it, or one of its options, is longer than what the model can read.
        """
        for sequence in sequences:
            answering = max(sequence.positions) + 1
            read = n_before + (len(sequence.ids) if sequence.decoder_ids else answering)
            if max(read, answering) > self.max_tokens:
                start = queries[sequence.query].before[:40]
                found = f"is {read}" if read > self.max_tokens else f"has an option for the decoder that is {answering}"
                raise QueryError(
                    f"row {sequence.query + 1} of this call ({start!r}...) {found} tokens long with what stands before "
                    f"it; the model reads {self.max_tokens}: shorten the row"
                )

    @abstractmethod
    def _encode(self, index: int, query: Query) -> Iterator[TokenSequence]:
        """The sequences of one query, whose index is given."""

    @abstractmethod
    def _blank_of(self, index: int, query: Query) -> TokenSequence:
        """The sequence of one query that tells the first token of its blank."""

    def _opening_of(self, index: int, query: Query) -> TokenSequence:
        """The sequence of one query from which a text goes on."""
        ids = self._context(index, query)
        return TokenSequence(ids, index, (), (0,) * len(ids))

    def _context(self, index: int, query: Query) -> Tokens:
        """The tokens in front of the blank, at least one."""
        return _not_empty(self.encode_text(query.before.rstrip()), index)

    def _parts(self, index: int, query: Query) -> tuple[Tokens, list[Tokens]]:
        """The tokens in front of the blank, and those of each option in it."""
        text = query.before.rstrip()
        blank = query.before[len(text) :]
        context = self.encode_text(text)
        if not query.after.strip():
            _not_empty(context, index)
        return context, [
            self._option(text, context, blank, option, several=len(query.options) > 1) for option in query.options
        ]

    def _option(self, text: str, context: Tokens, blank: str, option: str, *, several: bool) -> Tokens:
        whole = self.encode_text(text + blank + option)
        split = len(context)
        tokens = whole[split:] if whole[:split] == context else self.encode_text(blank + option)
        if not tokens:
            raise LabelWordError(f"label word {option!r} has no token in this model's vocabulary; choose another word")
        if self._single_token_labels and several and len(tokens) > 1:
            pieces = self._tokenizer.convert_ids_to_tokens(list(tokens))
            raise LabelWordError(
                f"label word {option!r} is {len(tokens)} tokens of this model ({' '.join(pieces)}) and one is "
                "needed; choose another word or set single_token_labels = false"
            )
        return tokens


class CausalEncoder(QueryEncoder):
    """Models that read left to right: each token of an option is told by the position in front of it."""

    @property
    def frame(self) -> Frame:
        return Frame("left to right", self.prefix, ())

    def _encode(self, index: int, query: Query) -> Iterator[TokenSequence]:
        context, options = self._parts(index, query)
        tree = option_tree(_not_empty(context, index), options)
        yield TokenSequence(tree.ids, index, tree.targets, tree.branches, stems=tree.stems)

    def _blank_of(self, index: int, query: Query) -> TokenSequence:
        ids = _not_empty(self.before_blank(query)[0], index)
        return TokenSequence(ids, index, (Target(0, len(ids) - 1, _ANY),), (0,) * len(ids))


class MaskedEncoder(QueryEncoder):
    """Models that fill masks in: an option stands at as many masks as it has tokens, each told by its own mask.

    Options of the same length share a sequence. As in PET (arXiv 2009.07118) with all masks filled at once.
    """

    @property
    def frame(self) -> Frame:
        return Frame("with masks", self.prefix, self._suffix, self._tokenizer.mask_token_id)

    def _encode(self, index: int, query: Query) -> Iterator[TokenSequence]:
        context, options = self._parts(index, query)
        behind = (*self.encode_text(query.after), *self._suffix)
        for count in sorted({len(tokens) for tokens in options}):
            ids = (*context, *[self._tokenizer.mask_token_id] * count, *behind)
            targets = [
                Target(option, len(context) + place, token)
                for option, tokens in enumerate(options)
                if len(tokens) == count
                for place, token in enumerate(tokens)
            ]
            yield TokenSequence(ids, index, tuple(targets), (0,) * len(ids))

    def _blank_of(self, index: int, query: Query) -> TokenSequence:
        context = self.before_blank(query)[0]
        ids = (*context, self._tokenizer.mask_token_id, *self.encode_text(query.after), *self._suffix)
        return TokenSequence(ids, index, (Target(0, len(context), _ANY),), (0,) * len(ids))


class EncoderDecoderEncoder(QueryEncoder):
    """Encoder-decoders: the text with its blank goes to the encoder, the options are the decoder's first tokens.

    Args:
        blank: the token that stands for the blank; None where the model knows none.
        opening: what the decoder reads before an option that fills the blank.
        start: what it reads before a whole target, which fills no blank: a query with one option.
        tokenizer, single_token_labels, max_tokens: as in `QueryEncoder`.
    """

    def __init__(
        self,
        tokenizer: Any,
        *,
        blank: int | None,
        opening: Tokens,
        start: Tokens,
        single_token_labels: bool,
        max_tokens: int,
    ) -> None:
        super().__init__(tokenizer, single_token_labels=single_token_labels, max_tokens=max_tokens)
        self._blank, self._opening, self._start = blank, opening, start

    @property
    def frame(self) -> Frame:
        opening = self._start if self._blank is None else self._opening
        return Frame("encoder and decoder", self.prefix, self._suffix, self._blank, opening, self._start)

    def _opening_of(self, index: int, query: Query) -> TokenSequence:
        context = self._context(index, query)
        return TokenSequence((*context, *self._suffix), index, (), (0,) * len(self._start), self._start)

    def _encode(self, index: int, query: Query) -> Iterator[TokenSequence]:
        context, options = self._parts(index, query)
        blank = () if self._blank is None or len(options) < 2 else (self._blank,)
        ids = (*context, *blank, *self.encode_text(query.after), *self._suffix)
        tree = option_tree(self._opening if blank else self._start, options)
        yield TokenSequence(ids, index, tree.targets, tree.branches, tree.ids, tree.stems)

    def _blank_of(self, index: int, query: Query) -> TokenSequence:
        blank = () if self._blank is None else (self._blank,)
        ids = (*self.before_blank(query)[0], *blank, *self.encode_text(query.after), *self._suffix)
        read = self._opening if blank else self._start
        return TokenSequence(ids, index, (Target(0, len(read) - 1, _ANY),), (0,) * len(read), read)


def _not_empty(context: Tokens, index: int) -> Tokens:
    if not context:
        raise QueryError(f"row {index + 1} of this call has no text in front of its label")
    return context


class OptionTree(NamedTuple):
    """Some options behind a trunk: see `TokenSequence`."""

    ids: Tokens
    branches: Tokens
    targets: tuple[Target, ...]
    stems: Tokens


def option_tree(trunk: Tokens, options: Sequence[Tokens]) -> OptionTree:
    """The tree of some options behind a trunk of at least one token; what several begin with is read once.

    An option's last token is asked for and not read.
    """
    read = dict.fromkeys(tokens[:end] for tokens in options for end in range(1, len(tokens)))
    forks = Counter(prefix[:-1] for prefix in read)
    ids, branches, stems = list(trunk), [0] * len(trunk), list[int]()
    places: dict[Tokens, int] = {(): len(trunk) - 1}
    for prefix in read:
        place = places[prefix[:-1]]
        if len(prefix) == 1 or forks[prefix[:-1]] > 1:
            stems.append(branches[place])
            branches.append(len(stems))
        else:
            branches.append(branches[place])
        places[prefix] = len(ids)
        ids.append(prefix[-1])
    targets = [
        Target(option, places[tokens[:end]], token)
        for option, tokens in enumerate(options)
        for end, token in enumerate(tokens)
    ]
    return OptionTree(tuple(ids), tuple(branches), tuple(targets), tuple(stems))
