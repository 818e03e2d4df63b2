"""A prompt space of one's own: one number for each layer, the length of a fixed random direction there."""

import numpy as np
import numpy.typing as npt

from blackbox import Task, tune
from blackbox.backends import DeepPrompt, FakeBackend, Prompt, VectorBackend


class Directions:
    """Candidate z: in layer j, z_j times a random direction of the spread of that layer's hidden states."""

    sizes = None  # candidates are numbers, no choices

    def __init__(self, backend: VectorBackend, text: str, *, per_layer: int, seed: int) -> None:
        self.tokens = backend.encode(text)
        layers, size = backend.shape.n_layers, backend.shape.hidden_size
        self.dimension, self.blocks = layers * per_layer, (per_layer,) * layers
        rng = np.random.default_rng(seed)
        self.directions = rng.standard_normal((layers, per_layer, len(self.tokens), size)).astype(np.float32)

    def decode(self, candidates: npt.NDArray[np.float64]) -> list[Prompt]:
        return [self._prompt(candidate.reshape(len(self.blocks), -1)) for candidate in candidates]

    def _prompt(self, lengths: npt.NDArray[np.float64]) -> Prompt:
        vectors = np.einsum("lk,lkth->lth", lengths.astype(np.float32), self.directions)
        return DeepPrompt(self.tokens, dict(enumerate(vectors)))


def main() -> None:
    rows = [{"text": f"{word} film number {i}", "label": word} for i in range(8) for word in ("good", "poor")]
    task = Task(rows, template="{text} It was {label}.", label_words={"good": "good", "poor": "poor"})
    backend = FakeBackend()
    space = Directions(backend, "Is the film good?", per_layer=3, seed=1)
    result = tune(task, backend=backend, space=space, evaluations=800)
    print(f"{result.history[0].loss:.3f} -> {result.summary.train_loss:.3f} nats; the best there is: 0.018")


if __name__ == "__main__":
    main()
