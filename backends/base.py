"""The contract of a backend: prompts and queries in, log-probabilities of the options or texts out."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from blackbox.backends.prompts import PrefixPrompt, Prompt
from blackbox.backends.writing import GREEDY, Writing, Written


class Capability(StrEnum):
    """What a backend can do. Capabilities are data, checked before a run starts."""

    TEXT = "text prompts"
    SOFT = "soft prompts"
    DEEP = "deep prompts"
    PREFIX = "prefix prompts"
    DECOMPOSED = "decomposed prompts"
    LABEL_SCORES = "label scores"
    TARGETS = "likelihoods of whole targets"
    INFILL = "text behind the label"
    GENERATE = "text that the model writes"
    STATES = "hidden states at the blank"
    VOCABULARY = "probabilities of all tokens at the blank"


@dataclass(frozen=True)
class Query:
    """A row as the backend sees it: a text with a blank, and the options that may fill it.

    A query with several options asks which of them fills the blank. One with a single option, a target, asks for the
    likelihood of that text itself, which only backends with `Capability.TARGETS` can tell.

    Attributes:
        before: the text in front of the blank. White space at its end belongs to the option behind it.
        options: the texts of which one fills the blank (label words), or one target; each of any number of tokens.
        after: the text behind the blank. Models that read left to right never see it; those with
            `Capability.INFILL` do.
    """

    before: str
    options: tuple[str, ...]
    after: str = ""


@dataclass(frozen=True)
class Usage:
    """What a call has cost. Usages add up."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    seconds: float = 0.0
    usd: float = 0.0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


@dataclass(frozen=True)
class Failure:
    """One (prompt, query) pair that has no answer: missing, never a zero and never a wrong answer."""

    prompt: int
    query: int
    reason: str


@dataclass(frozen=True, eq=False)
class Scores:
    """The answer of `Backend.score`.

    Attributes:
        log_probabilities: shape (n_prompts, n_queries, n_options), nats, float64. Several options of a query are
            normalised (their exponentials sum to one), unless the model has written what is none of them: what is
            missing from one is then the probability of that (see `chosen_options`). A single one has its
            log-likelihood behind the prompt and the text in front of the blank: the sum over its tokens, not divided
            by their number, at most 0. NaN where there is no answer.
        usages: what each prompt cost, shape (n_prompts,).
        failures: the pairs without an answer, with the reason.
    """

    log_probabilities: npt.NDArray[np.float64]
    usages: tuple[Usage, ...]
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, eq=False)
class Generations:
    """The answer of `GeneratingBackend.generate`.

    Attributes:
        written: shape (n_prompts, n_queries); None where there is no answer.
        usages: what each prompt cost, shape (n_prompts,).
        failures: the pairs without an answer, with the reason.
    """

    written: tuple[tuple[Written | None, ...], ...]
    usages: tuple[Usage, ...]
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, eq=False)
class BlankStates:
    """The answer of `BlankStatesBackend.blank_states`.

    Attributes:
        vectors: shape (n_prompts, n_queries, hidden_size), float64; NaN where they are no finite numbers.
        usages: what each prompt cost, shape (n_prompts,).
    """

    vectors: npt.NDArray[np.float64]
    usages: tuple[Usage, ...]


def chosen_options(log_probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Index of the most probable of several options; -1 where an answer that is none of them is at least as probable.

    Args:
        log_probabilities: shape (..., n_options), nats, as in `Scores`; rows with NaN have no meaning.

    Returns:
        Shape (...).
    """
    probabilities = np.exp(log_probabilities)
    none = 1 - probabilities.sum(axis=-1)
    return np.where(none >= probabilities.max(axis=-1), -1, log_probabilities.argmax(axis=-1))


@dataclass(frozen=True)
class ModelShape:
    """What a prompt space must know of a model whose hidden states can be changed.

    Attributes:
        n_layers: layers, numbered from 0.
        hidden_size: numbers in a hidden state.
        vocabulary_size: tokens that the model knows, numbered from 0.
        key_value_width: numbers in a key, and in a value, of one position: key and value heads times the size of a
            head. 0 means that the model takes no prefix prompts.
    """

    n_layers: int
    hidden_size: int
    vocabulary_size: int
    key_value_width: int = 0


@runtime_checkable
class Backend(Protocol):
    """Something that scores. `name` and `model_hash` identify the model in saved prompts and run folders.

    Implementations must give the same scores for a (prompt, query) pair whatever else is in the call, up to the
    rounding of the device, and exactly the same for the same call.
    """

    @property
    def name(self) -> str: ...

    @property
    def model_hash(self) -> str: ...

    @property
    def capabilities(self) -> frozenset[Capability]: ...

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        """Log-probabilities of each query's options behind each prompt; of a single option, its log-likelihood.

        Raises:
            UnsupportedPromptError: a prompt of a kind not in `capabilities`, or with vectors of another model's shape.
            QueryError: a query that the model cannot read, a number of options that differs between queries, or
                queries with one option for a backend without `Capability.TARGETS`.
        """
        ...


@runtime_checkable
class GeneratingBackend(Backend, Protocol):
    """A backend that writes: it has `Capability.GENERATE`."""

    def generate(self, prompts: Sequence[Prompt], queries: Sequence[Query], writing: Writing = GREEDY) -> Generations:
        """What the model writes behind each prompt and the text in front of each query's blank.

        The options of the queries and the text behind their blanks are not read; there may be none.

        Raises:
            UnsupportedPromptError: as of `score`.
            QueryError: a query that the model cannot read.
        """
        ...


@runtime_checkable
class VectorBackend(Backend, Protocol):
    """A backend whose hidden states can be changed: it takes soft and deep prompts."""

    @property
    def shape(self) -> ModelShape: ...

    def encode(self, text: str) -> tuple[int, ...]:
        """The tokens of a text, without special tokens."""
        ...

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of some tokens."""
        ...

    def hidden_stds(self, token_ids: Sequence[int], queries: Sequence[Query]) -> npt.NDArray[np.float64]:
        """Standard deviations that scale the projections of BBTv2 (arXiv 2205.11200, section 3.2).

        Returns:
            Shape (n_layers,). Element 0 is the standard deviation of the word embeddings; element j that of the
            hidden states entering layer j for the given prompt tokens and queries, after five rounds of clipping
            to mean +- 3 standard deviations.
        """
        ...


@runtime_checkable
class StatesBackend(VectorBackend, Protocol):
    """A backend whose hidden states can be read."""

    def hidden_states(
        self, token_ids: Sequence[int], queries: Sequence[Query], layers: Sequence[int]
    ) -> dict[int, npt.NDArray[np.float32]]:
        """Where the model has been: what enters some layers for the given prompt tokens and queries.

        Args:
            layers: some of the model's.

        Returns:
            For each layer the states at single tokens, shape (n_states, hidden_size): those of the prompt with the
            first query and those of all queries, evenly spaced ones of them where there are more than
            `states.MOST_STATES`. Of layer 0 they are the word embeddings of the vocabulary, as many at most.

        Raises:
            UnsupportedPromptError: the model has not one of the layers.
            QueryError: a query that the model cannot read.
        """
        ...


@runtime_checkable
class PrefixBackend(VectorBackend, Protocol):
    """A backend that takes prefix prompts as well; the `key_value_width` of its shape is not 0."""

    def prefix_of(self, token_ids: Sequence[int]) -> PrefixPrompt:
        """The keys and values of these tokens, as the model computes them when they stand first.

        On a decoder the prefix scores as the text prompt of the same tokens: a token that the model puts at the
        beginning of every text has its position in the prefix, too.

        Args:
            token_ids: at least one token.
        """
        ...


@runtime_checkable
class BlankStatesBackend(Backend, Protocol):
    """A backend that shows what the model has computed at the blank: it has `Capability.STATES`."""

    def blank_states(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> BlankStates:
        """What the output head reads where it tells the first token of the blank, behind each prompt.

        The options of the queries are not read.

        Raises:
            UnsupportedPromptError, QueryError: as of `score`.
        """
        ...


@runtime_checkable
class VocabularyBackend(BlankStatesBackend, Protocol):
    """A backend that tells how probable every token is at the blank: it has `Capability.VOCABULARY`."""

    def token_log_probabilities(self, vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """What the output head makes of states.

        Args:
            vectors: shape (n, hidden_size), of `blank_states`.

        Returns:
            Shape (n, n_tokens), nats; a token's column is its number.
        """
        ...

    def whole_words(self, query: Query) -> dict[int, str]:
        """Token -> the word that it is by itself in the blank of a query, of letters alone and two of them at least."""
        ...

    def is_one_token(self, query: Query, word: str) -> bool:
        """Whether a word in the blank of a query is read as a single token."""
        ...


@runtime_checkable
class MeteredBackend(Backend, Protocol):
    """A backend whose calls cost money, over all of a run's sessions."""

    @property
    def spent(self) -> Usage:
        """What all calls have cost, those that failed included."""
        ...

    @property
    def record(self) -> dict[str, object]:
        """How the model is asked, as JSON values for the run's record: address, what it can do, way of scoring."""
        ...

    def close(self) -> None:
        """Let go of files and threads."""
        ...
