"""A deterministic backend without a model, with an optimum that is known: for tests, examples and tutorials.

Each query has a right option: the one whose word stands in the text, in front of the label or behind it, otherwise one
drawn from the text's hash. A prompt has a quality q between 0 and 1; the right option gets a logit of
`margin * (2 q - 1)`, the others 0. A single option, a target, has the log-likelihood `-margin * (1 - q)`, whatever its
text. The best prompt therefore has a known loss, `FakeBackend.optimum_loss`; for targets it is 0. With s the share of
`HELPFUL_WORDS` that stand in the prompt's text (for other prompts in the text of their tokens) and t a fixed point of
four numbers,

    q = exp(-|r - sqrt(1 - s) t|^2),

where r = 0 for text prompts, and for soft, deep and decomposed prompts a fixed linear read-out of the vectors of all
layers, and of those for rows, onto four numbers. For prefix prompts it is that of their keys and values less those that
the tokens have by themselves (`prefix_of`; positions behind the last token have zeros). Zero vectors and the prefix of
some tokens are thus the text prompt of these tokens, a text with all the words is the best there is, and any space of
four or more dimensions reaches q = 1.

What it writes behind a query with options is the right one where a number between 0 and 1, drawn from the hash of the
query's text alone, is below q, otherwise `NO_IDEA`: a better prompt is right wherever a worse one is. Behind a query
without options it writes some words drawn from the hash of all that it reads, each of `HELPFUL_WORDS` with probability
1/2, so that a search which asks it for instructions finds good ones. Of vectors it reads r, rounded to a hundredth: the
last digits of what a space computes depend on the kind of processor. Above a temperature of 0 both hashes hold the
seed.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from blackbox.backends.base import BlankStates, Capability, Generations, ModelShape, Query, Scores, Usage
from blackbox.backends.checks import check_call, check_fit, check_layers, check_prompts
from blackbox.backends.prompts import DecomposedPrompt, FloatArray, PrefixPrompt, Prompt, TextPrompt, vectors_of
from blackbox.backends.writing import GREEDY, Writing

HELPFUL_WORDS = ("classify", "sentiment", "carefully", "answer")
NO_IDEA = "no idea"
_OTHER_WORDS = ("please", "read", "the", "text", "and", "say", "what", "it", "means")
_Array = npt.NDArray[np.float64]
_BYTES = 256
_READ_OUT = 4
_DISTANCE = 1.2  # of t from 0: a prompt without any helpful word has q = exp(-1.44) = 0.24 and finds no right option


class FakeBackend:
    """See the module.

    Args:
        n_layers, hidden_size, key_value_width: the shape of the pretended model.
        margin: logit of the right option at the optimum, and what a target loses where q = 0; nats.
    """

    def __init__(
        self, *, n_layers: int = 4, hidden_size: int = 8, key_value_width: int = 6, margin: float = 4.0
    ) -> None:
        self.shape = ModelShape(n_layers, hidden_size, _BYTES, key_value_width)
        self.margin = margin
        direction = np.random.default_rng(7).normal(size=_READ_OUT)
        self._point = _DISTANCE * direction / np.linalg.norm(direction)

    @property
    def name(self) -> str:
        return "fake"

    @property
    def model_hash(self) -> str:
        return hashlib.sha256(f"fake {self.shape} {self.margin}".encode()).hexdigest()

    @property
    def capabilities(self) -> frozenset[Capability]:
        prompts = {Capability.TEXT, Capability.SOFT, Capability.DEEP, Capability.PREFIX, Capability.DECOMPOSED}
        answers = {Capability.LABEL_SCORES, Capability.TARGETS, Capability.INFILL, Capability.GENERATE}
        answers |= {Capability.STATES}
        return frozenset(prompts | answers)

    def optimum_loss(self, n_options: int) -> float:
        """The cross-entropy of the best prompt, nats: log(1 + (n_options - 1) exp(-margin)); for targets log(1) = 0."""
        return math.log1p((n_options - 1) * math.exp(-self.margin))

    def right_option(self, query: Query) -> int:
        """Index of the option that a good prompt finds."""
        sides = (query.before, query.after)
        named = [index for index, option in enumerate(query.options) if any(option in side for side in sides)]
        if named:
            return named[0]
        return hashlib.sha256("".join(sides).encode()).digest()[0] % len(query.options)

    def encode(self, text: str) -> tuple[int, ...]:
        """One token for each byte."""
        return tuple(text.encode())

    def decode(self, token_ids: Sequence[int]) -> str:
        return bytes(token_ids).decode(errors="replace")

    def hidden_stds(self, token_ids: Sequence[int], queries: Sequence[Query]) -> npt.NDArray[np.float64]:
        """One for every layer."""
        return np.ones(self.shape.n_layers)

    def hidden_states(
        self, token_ids: Sequence[int], queries: Sequence[Query], layers: Sequence[int]
    ) -> dict[int, FloatArray]:
        """Unit normal numbers that depend on the layer and the token only; each token that is read has one state."""
        check_layers(self, layers)
        read = sorted({*token_ids, *"".join(query.before + query.after for query in queries).encode()})
        drawn = {
            layer: np.random.default_rng([17, layer]).standard_normal(
                (_BYTES, self.shape.hidden_size), dtype=np.float32
            )
            for layer in layers
        }
        return {layer: states if layer == 0 else states[read] for layer, states in drawn.items()}

    def prefix_of(self, token_ids: Sequence[int]) -> PrefixPrompt:
        """Unit normal numbers that depend on the layer and the token only."""
        layers = range(self.shape.n_layers)
        return PrefixPrompt(tuple(token_ids), {layer: self._keys_values(layer, token_ids) for layer in layers})

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        """See `Backend.score`; a token is a byte, and no time is charged."""
        check_call(self, prompts, queries)
        for prompt in prompts:
            check_fit(self, prompt)
        qualities = np.array([self.quality(prompt) for prompt in prompts])
        n_options = len(queries[0].options) if queries else 0
        log_probabilities = (self._of_targets if n_options == 1 else self._of_options)(qualities, queries, n_options)
        rows = [query.before + query.after for query in queries]
        return Scores(log_probabilities, tuple(self._cost(prompt, rows) for prompt in prompts))

    def generate(self, prompts: Sequence[Prompt], queries: Sequence[Query], writing: Writing = GREEDY) -> Generations:
        """See `GeneratingBackend.generate`; unlike a model it reads the options, to know what is right."""
        check_prompts(self, prompts)
        for prompt in prompts:
            check_fit(self, prompt)
        texts = [[self._text(prompt, query, writing).encode() for query in queries] for prompt in prompts]
        cut = [[text[: writing.max_tokens] for text in line] for line in texts]
        rows = [query.before for query in queries]
        usages = (
            self._cost(prompt, rows) + Usage(completion_tokens=sum(map(len, line)))
            for prompt, line in zip(prompts, cut, strict=True)
        )
        written = (
            tuple(
                writing.ended(short.decode(errors="ignore"), cut=len(short) < len(text))
                for short, text in zip(short_line, line, strict=True)
            )
            for short_line, line in zip(cut, texts, strict=True)
        )
        return Generations(tuple(written), tuple(usages))

    def blank_states(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> BlankStates:
        """See `BlankStatesBackend.blank_states`: 2 q - 1 in the right option's place, and numbers drawn from the text.

        The numbers are normal, of the standard deviation 1 - 3/4 q. Unlike a model it reads the options, to know what
        is right.
        """
        check_prompts(self, prompts)
        for prompt in prompts:
            check_fit(self, prompt)
        drawn = [_rng(query.before.encode(), "state").normal(size=self.shape.hidden_size) for query in queries]
        vectors = np.zeros((len(prompts), len(queries), self.shape.hidden_size))
        for number, prompt in enumerate(prompts):
            q = self.quality(prompt)
            for row, query in enumerate(queries):
                vectors[number, row] = drawn[row] * (1 - 0.75 * q)
                vectors[number, row, self.right_option(query) % self.shape.hidden_size] += 2 * q - 1
        rows = [query.before + query.after for query in queries]
        return BlankStates(vectors, tuple(self._cost(prompt, rows) for prompt in prompts))

    def quality(self, prompt: Prompt) -> float:
        """How good a prompt is, from 0 to 1."""
        text = prompt.whole if isinstance(prompt, TextPrompt) else self.decode(prompt.token_ids)
        share = sum(word in text for word in HELPFUL_WORDS) / len(HELPFUL_WORDS)
        return float(np.exp(-np.sum((self._read(prompt) - math.sqrt(1 - share) * self._point) ** 2)))

    def _text(self, prompt: Prompt, query: Query, writing: Writing) -> str:
        """What is written behind a query if nothing ends it."""
        drawn = repr((writing.temperature, writing.seed)) if writing.temperature else ""
        if query.options:
            right = _rng(query.before.encode(), drawn).random() < self.quality(prompt)
            return query.options[self.right_option(query)] if right else NO_IDEA
        tokens = prompt.whole.encode() if isinstance(prompt, TextPrompt) else bytes(prompt.token_ids)
        vectors = (
            b"" if isinstance(prompt, TextPrompt) else np.rint(100 * self._read(prompt)).astype(np.int64).tobytes()
        )
        rng = _rng(tokens + vectors + query.before.encode(), drawn)
        helpful = [word for word in HELPFUL_WORDS if rng.random() < 0.5]
        others = rng.permutation(_OTHER_WORDS)[: rng.integers(1, len(_OTHER_WORDS))]
        return " ".join(rng.permutation([*helpful, *others]))

    def _of_options(self, q: _Array, queries: Sequence[Query], n_options: int) -> _Array:
        logits = np.zeros((len(q), len(queries), n_options))
        right = [self.right_option(query) for query in queries]
        logits[:, np.arange(len(queries)), right] = self.margin * (2 * q[:, None] - 1)
        log_probabilities: _Array = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
        return log_probabilities

    def _of_targets(self, q: _Array, queries: Sequence[Query], n_options: int) -> _Array:
        return np.tile(-self.margin * (1 - q[:, None, None]), (1, len(queries), n_options))

    def _read(self, prompt: Prompt) -> _Array:
        """r, shape (4,)."""
        read = np.zeros(_READ_OUT)
        for layer, vectors in self._added(prompt).items():
            read += self._read_out(layer, vectors)
        return read

    def _read_out(self, layer: int, vectors: npt.NDArray[np.float32]) -> _Array:
        weights = np.random.default_rng([11, layer]).normal(size=(_READ_OUT, vectors.size))
        read: _Array = weights @ vectors.ravel().astype(np.float64) / math.sqrt(vectors.size)
        return read

    def _added(self, prompt: Prompt) -> Mapping[int, FloatArray]:
        """Layer -> what a prompt adds to its tokens; behind the layers, what it adds to rows."""
        if isinstance(prompt, DecomposedPrompt):
            n_tokens = len(prompt.token_ids)
            return {0: prompt.vectors[:n_tokens], self.shape.n_layers: prompt.vectors[n_tokens:]}
        if not isinstance(prompt, PrefixPrompt):
            return vectors_of(prompt)
        added = {layer: keys_values.copy() for layer, keys_values in prompt.keys_values.items()}
        for layer, keys_values in added.items():
            keys_values[:, : len(prompt.token_ids)] -= self._keys_values(layer, prompt.token_ids)
        return added

    def _keys_values(self, layer: int, token_ids: Sequence[int]) -> FloatArray:
        """Shape (2, n_tokens, key_value_width)."""
        of_bytes = np.random.default_rng([13, layer]).standard_normal(
            (2, _BYTES, self.shape.key_value_width), dtype=np.float32
        )
        return of_bytes[:, list(token_ids)]

    def _cost(self, prompt: Prompt, rows: Sequence[str]) -> Usage:
        """What reading a prompt with some rows costs."""
        tokens = self._length(prompt) * len(rows) + sum(len(row.encode()) for row in rows)
        return Usage(len(rows), prompt_tokens=tokens)

    def _length(self, prompt: Prompt) -> int:
        if isinstance(prompt, PrefixPrompt):
            return prompt.n_positions
        return len(self.encode(prompt.whole)) if isinstance(prompt, TextPrompt) else len(prompt.token_ids)


def _rng(read: bytes, drawn: str) -> np.random.Generator:
    """A generator whose numbers depend on what is read and, where it is drawn, on how."""
    return np.random.default_rng(list(hashlib.sha256(read + drawn.encode()).digest()))
