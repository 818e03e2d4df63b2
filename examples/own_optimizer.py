"""An optimizer of one's own: a (1 + n) evolution strategy with the 1/5 rule (Rechenberg 1973)."""

import numpy as np

from blackbox import Config, Task, tune
from blackbox.optimizers import Domain, FloatArray, Optimizer, State
from blackbox.registry import OPTIMIZERS


class OnePlusMany(Optimizer):
    """Normal steps around the best so far: longer ones where more than a fifth are gains, otherwise shorter ones."""

    def __init__(self, dimension: int, *, population_size: int, sigma: float, seed: int) -> None:
        super().__init__(dimension, population_size)
        self._rng = np.random.default_rng(seed)
        self._sigma, self._parent, self._loss = sigma, np.zeros(dimension), np.inf

    def _ask(self) -> FloatArray:
        return self._parent + self._sigma * self._rng.standard_normal((self.population_size, self.dimension))

    def _tell(self, candidates: FloatArray, losses: FloatArray) -> None:
        self._sigma *= np.exp(np.mean(losses < self._loss) - 0.2)
        if losses.min() < self._loss:
            self._parent, self._loss = candidates[losses.argmin()].copy(), float(losses.min())

    def _state(self) -> State:
        parent = self._parent.tolist()
        return {"rng": self._rng.bit_generator.state, "sigma": self._sigma, "parent": parent, "loss": self._loss}

    def _load_state(self, state: State) -> None:
        self._rng.bit_generator.state = state["rng"]
        self._sigma, self._parent, self._loss = state["sigma"], np.array(state["parent"]), state["loss"]


def one_plus_many(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
    """What the name stands for; in a package, an entry point of the group "blackbox.optimizers" names this function."""
    return OnePlusMany(domain.dimension, population_size=config.population, sigma=config.sigma, seed=seed)


OPTIMIZERS.add("one-plus-many", one_plus_many)


def main() -> None:
    rows = [{"text": f"{word} film number {i}", "label": word} for i in range(8) for word in ("good", "poor")]
    task = Task(rows, template="{text} It was {label}.", label_words={"good": "good", "poor": "poor"})
    result = tune(task, backend="fake", optimizer="blockwise:one-plus-many", layers="all", dimension=5, evaluations=800)
    print(f"{result.history[0].loss:.3f} -> {result.summary.train_loss:.3f} nats; the best there is: 0.018")


if __name__ == "__main__":
    main()
