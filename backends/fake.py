"""A deterministic backend without a model, with an optimum that is known: for tests, examples and tutorials.

Each query has a right option: the one whose word stands in the text, in front of the label or behind it, otherwise one
drawn from the text's hash. A prompt has a quality q between 0 and 1; the right option gets a logit of
`margin * (2 q - 1)`, the others 0. A single option, a target, has the log-likelihood `-margin * (1 - q)`, whatever its
text. The best prompt therefore has a known loss, `FakeBackend.optimum_loss`; for targets it is 0. With s the share of
`HELPFUL_WORDS` that stand in the prompt's text (for other prompts in the text of their tokens) and t a fixed point of
four numbers,

    q = exp(-|r - sqrt(1 - s) t|^2),

where r = 0 for text prompts, and for soft and deep prompts a fixed linear read-out of the vectors of all layers onto
four numbers. For prefix prompts it is that of their keys and values less those that the tokens have by themselves
(`prefix_of`; positions behind the last token have zeros). Zero vectors and the prefix of some tokens are thus the text
prompt of these tokens, a text with all the words is the best there is, and any space of four or more dimensions reaches
q = 1.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from blackbox.backends.base import Capability, ModelShape, Query, Scores, Usage, check_call, check_fit
from blackbox.backends.prompts import FloatArray, PrefixPrompt, Prompt, TextPrompt, vectors_of

HELPFUL_WORDS = ("classify", "sentiment", "carefully", "answer")
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
        prompts = {Capability.TEXT, Capability.SOFT, Capability.DEEP, Capability.PREFIX}
        return frozenset(prompts | {Capability.LABEL_SCORES, Capability.TARGETS, Capability.INFILL})

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
        row_tokens = sum(len((query.before + query.after).encode()) for query in queries)
        tokens = [self._length(prompt) * len(queries) + row_tokens for prompt in prompts]
        return Scores(log_probabilities, tuple(Usage(len(queries), prompt_tokens=count) for count in tokens))

    def quality(self, prompt: Prompt) -> float:
        """How good a prompt is, from 0 to 1."""
        text = prompt.whole if isinstance(prompt, TextPrompt) else self.decode(prompt.token_ids)
        share = sum(word in text for word in HELPFUL_WORDS) / len(HELPFUL_WORDS)
        read = np.zeros(_READ_OUT)
        for layer, vectors in self._added(prompt).items():
            read += self._read_out(layer, vectors)
        return float(np.exp(-np.sum((read - math.sqrt(1 - share) * self._point) ** 2)))

    def _of_options(self, q: _Array, queries: Sequence[Query], n_options: int) -> _Array:
        logits = np.zeros((len(q), len(queries), n_options))
        right = [self.right_option(query) for query in queries]
        logits[:, np.arange(len(queries)), right] = self.margin * (2 * q[:, None] - 1)
        log_probabilities: _Array = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
        return log_probabilities

    def _of_targets(self, q: _Array, queries: Sequence[Query], n_options: int) -> _Array:
        return np.tile(-self.margin * (1 - q[:, None, None]), (1, len(queries), n_options))

    def _read_out(self, layer: int, vectors: npt.NDArray[np.float32]) -> _Array:
        weights = np.random.default_rng([11, layer]).normal(size=(_READ_OUT, vectors.size))
        read: _Array = weights @ vectors.ravel().astype(np.float64) / math.sqrt(vectors.size)
        return read

    def _added(self, prompt: Prompt) -> Mapping[int, FloatArray]:
        """Layer -> what a prompt adds to its tokens."""
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

    def _length(self, prompt: Prompt) -> int:
        if isinstance(prompt, PrefixPrompt):
            return prompt.n_positions
        return len(self.encode(prompt.whole)) if isinstance(prompt, TextPrompt) else len(prompt.token_ids)
