"""What a search begins with where that is chosen by scoring, or comes from prompts that other searches have found.

An opening is made before the first evaluation and kept in the run's folder: a run that is resumed goes on with it
whatever has become of the other prompts. What was scored for it counts in the budget.

Which prompt of another task will transfer is told by how it does on the training rows, before it is tuned on them;
prompt transfer: SPoT (arXiv 2110.07904), PANDA (arXiv 2208.10160).
"""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blackbox.backends import (
    Backend,
    Capability,
    DeepPrompt,
    PrefixBackend,
    PrefixPrompt,
    Prompt,
    SoftPrompt,
    Usage,
    VectorBackend,
    require,
)
from blackbox.backends.prompts import FloatArray, vectors_of
from blackbox.bank import saved_prompts
from blackbox.config import Config
from blackbox.errors import BudgetError, DamagedFileError, SettingError
from blackbox.files import read_json, write_json
from blackbox.mutual_information import informations
from blackbox.outcome import Outcome, score_prompts
from blackbox.saved_prompt import SavedPrompt
from blackbox.spaces.layers import parse_layers
from blackbox.starts import INFORMATION, Tokens, make_start, pool
from blackbox.task import Task

log = logging.getLogger(__name__)

VectorPrompt = SoftPrompt | DeepPrompt | PrefixPrompt

BANK = "bank"
"""The name of the projection that is made of an opening's directions."""

_FILE, _START = "opening.json", "start"


@dataclass(frozen=True)
class Scored:
    """A start that was looked at.

    Attributes:
        name: its text, or the name of the prompt.
        by: what it was judged by: "mutual-information" (nats, the highest is best) or "loss" (the lowest is).
        value: of that; None where it could not be scored.
        usage: what that has cost.
    """

    name: str
    by: str
    value: float | None
    usage: Usage

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Scored":
        """What `dataclasses.asdict` makes JSON values of."""
        return cls(**{**values, "usage": Usage(**values["usage"])})


@dataclass(frozen=True, eq=False)
class Opening:
    """See the module.

    Attributes:
        start: the chosen start; None: as the setting `init` says.
        directions: prompts of other tasks for the projection, by name.
        scored: the starts that were looked at, one evaluation each.
    """

    start: SavedPrompt | None = None
    directions: tuple[SavedPrompt, ...] = ()
    scored: tuple[Scored, ...] = ()

    @property
    def evaluations(self) -> int:
        """What it counts in the budget."""
        return len(self.scored)

    @property
    def usage(self) -> Usage:
        """What looking at the starts has cost."""
        return sum((one.usage for one in self.scored), Usage())

    @property
    def prompt(self) -> VectorPrompt | None:
        """The prompt of the start."""
        found = self.start.prompt if self.start else None
        return found if isinstance(found, VectorPrompt) else None

    @property
    def vectors(self) -> Mapping[int, FloatArray]:
        """What the start adds to the states of its tokens: layer -> shape (n_tokens, hidden_size), none of zeros."""
        if isinstance(self.prompt, SoftPrompt | DeepPrompt):
            return {layer: vectors for layer, vectors in vectors_of(self.prompt).items() if vectors.any()}
        return {}

    def save(self, folder: Path) -> None:
        """Write it into a folder; where there is nothing to it, nothing is written.

        Raises:
            RunError: it cannot be written.
        """
        if self.start is None and not self.directions:
            return
        if self.start:
            self.start.save(folder / _START)
        for number, one in enumerate(self.directions):
            one.save(folder / str(number))
        values = {"start": self.start is not None, "directions": len(self.directions)}
        write_json(folder / _FILE, {**values, "scored": [asdict(one) for one in self.scored]})

    @classmethod
    def load(cls, folder: Path) -> "Opening":
        """What `save` wrote.

        Raises:
            RunError: there is none.
            DamagedFileError: a file is not what was written.
        """
        values = read_json(folder / _FILE)
        try:
            return cls(
                SavedPrompt.load(folder / _START) if values["start"] else None,
                tuple(SavedPrompt.load(folder / str(number)) for number in range(int(str(values["directions"])))),
                tuple(Scored.from_dict(one) for one in values["scored"]),  # type: ignore[attr-defined]
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedFileError(f"{folder / _FILE} is damaged: it holds no opening ({error})") from error


NOTHING = Opening()


def read_opening(folder: Path | None) -> Opening | None:
    """The opening of a run, if it has one of its own."""
    return Opening.load(folder) if folder and (folder / _FILE).exists() else None


def asks_for_opening(config: Config) -> bool:
    """Whether the settings name one."""
    return config.init == INFORMATION or bool(config.warm_start) or config.projection == BANK


def make_opening(backend: Backend, task: Task, config: Config) -> Opening:
    """The opening that the settings name.

    Raises:
        SettingError: settings that do not go together.
        BudgetError: there are more starts to be looked at than evaluations.
        MismatchError: a prompt of another model.
        RunError: no prompt where one is named.
    """
    require(backend, Capability.SOFT)
    if not isinstance(backend, VectorBackend):
        raise SettingError(f"backend {backend.name!r} says it takes soft prompts but is no VectorBackend")
    others = _prompts(backend, config.warm_start, config)
    directions = _prompts(backend, config.bank or config.warm_start, config) if config.projection == BANK else {}
    if config.projection == BANK and not directions:
        raise SettingError("setting 'projection': 'bank' needs prompts of other tasks: give `bank` or `warm_start`")
    starts = pool(backend, task, config) if config.init == INFORMATION else {}
    _check_budget(len(starts) + (1 + len(others) if others else 0), config)
    plain = _most_informative(backend, task, config, starts) if starts else None
    tokens = plain[0] if plain else make_start(backend, task, config)
    start: VectorPrompt | None = _plain(backend, tokens, config) if plain or others else None
    scored = plain[1] if plain else []
    if others and start is not None:
        start, by_loss = _lowest(backend, task, config, {"the start": start, **others})
        scored += by_loss
    kept = [_saved(one, backend, task) for one in directions.values()]
    return Opening(_saved(start, backend, task) if start else None, tuple(kept), tuple(scored))


def _check_budget(price: int, config: Config) -> None:
    if price >= config.evaluations:
        raise BudgetError(f"a budget of {config.evaluations} evaluations ends before {price} starts are looked at")


def _most_informative(
    backend: VectorBackend, task: Task, config: Config, starts: dict[str, Tokens]
) -> tuple[Tokens, list[Scored]]:
    prompts = [_plain(backend, tokens, config) for tokens in starts.values()]
    found = informations(backend, task, prompts, together=config.slice_size)
    values = [value for value, _ in found]
    best = int(np.argmax(values))
    log.info("start %r: mutual information %.3f nats, of %d", list(starts)[best], values[best], len(starts))
    scored = [
        Scored(name, INFORMATION, _finite(value), usage) for name, (value, usage) in zip(starts, found, strict=True)
    ]
    return list(starts.values())[best], scored


def _lowest(
    backend: Backend, task: Task, config: Config, prompts: dict[str, VectorPrompt]
) -> tuple[VectorPrompt, list[Scored]]:
    found = outcomes_of(backend, task, list(prompts.values()), together=config.slice_size)
    losses = [one.loss for one in found]
    best = int(np.argmin(losses))
    log.info("start %r: loss %.4f, of %d", list(prompts)[best], losses[best], len(prompts))
    scored = [Scored(name, "loss", _finite(one.loss), one.usage) for name, one in zip(prompts, found, strict=True)]
    return list(prompts.values())[best], scored


def outcomes_of(backend: Backend, task: Task, prompts: Sequence[Prompt], *, together: int) -> list[Outcome]:
    """The outcomes of prompts on the training rows, `together` of them in a call."""
    parts = [prompts[first : first + together] for first in range(0, len(prompts), together)]
    return [one for part in parts for one in score_prompts(backend, task, part, task.train)]


def _prompts(backend: VectorBackend, paths: Sequence[str], config: Config) -> dict[str, VectorPrompt]:
    """The prompts of other runs by name, as the space takes them.

    Raises:
        SettingError: a prompt of another kind. MismatchError: of another model.
    """
    found: dict[str, VectorPrompt] = {}
    for path in paths:
        for name, saved in saved_prompts(path).items():
            saved.check(backend)
            found[name if name not in found else f"{path}/{name}"] = _fitting(name, saved.prompt, backend, config)
    return found


def _fitting(name: str, prompt: Prompt, backend: VectorBackend, config: Config) -> VectorPrompt:
    kind = _kind(backend, config)
    if kind is DeepPrompt and isinstance(prompt, SoftPrompt):
        return DeepPrompt(prompt.token_ids, {0: prompt.vectors})
    if not isinstance(prompt, kind):
        raise SettingError(f"prompt {name!r} is a {type(prompt).__name__}, space {config.space!r} has {kind.__name__}s")
    found: VectorPrompt = prompt
    return found


def _kind(backend: VectorBackend, config: Config) -> type[VectorPrompt]:
    if config.space == "prefix":
        return PrefixPrompt
    if config.space == "soft":
        return SoftPrompt
    if config.space == "deep":
        return DeepPrompt
    return SoftPrompt if parse_layers(config.layers, backend.shape.n_layers) == (0,) else DeepPrompt


def _plain(backend: VectorBackend, tokens: Tokens, config: Config) -> VectorPrompt:
    """The text of some tokens as a prompt of the space."""
    kind = _kind(backend, config)
    if kind is PrefixPrompt:
        require(backend, Capability.PREFIX)
        if not isinstance(backend, PrefixBackend):
            raise SettingError(f"backend {backend.name!r} says it takes prefix prompts but is no PrefixBackend")
        return backend.prefix_of(tokens)
    zeros = np.zeros((len(tokens), backend.shape.hidden_size), dtype=np.float32)
    return SoftPrompt(tokens, zeros) if kind is SoftPrompt else DeepPrompt(tokens, {0: zeros})


def _saved(prompt: VectorPrompt, backend: Backend, task: Task) -> SavedPrompt:
    return SavedPrompt.of(prompt, backend=backend, task=task, scores={})


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
