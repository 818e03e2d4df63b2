"""What a run's results depend on besides its settings: versions, and hashes of the model, the data and the space."""

import hashlib
import json
import platform
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from blackbox.backends import Backend, MeteredBackend, Prompt, TextPrompt
from blackbox.backends.prompts import vectors_of
from blackbox.form import own_form
from blackbox.spaces import PromptSpace, WrittenSpace
from blackbox.task import Task

HASHES = ("model_hash", "data_hash", "space_hash")
"""What must be the same for a run to go on."""
ENVIRONMENT = {"python", "platform", "packages", "model", "endpoint", *HASHES}
"""The keys of an environment."""
_PACKAGES = ("blackbox-prompts", "numpy", "cma", "nevergrad", "torch", "transformers", "safetensors")
_PROBED = 64  # numbers of a layer that tell a space from another
_CHOICES = 32  # that tell a space of choices from another


def environment(task: Task, backend: Backend, space: PromptSpace) -> dict[str, object]:
    """What a run's results depend on besides its settings."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
        "model": backend.name,
        "endpoint": backend.record if isinstance(backend, MeteredBackend) else None,
        "model_hash": backend.model_hash,
        "data_hash": data_hash(task),
        "space_hash": space_hash(space),
    }


def data_hash(task: Task) -> str:
    """What tells a task from another: SHA-256 over its rows and what is asked of them."""
    return hashlib.sha256(json.dumps(task.to_dict(), sort_keys=True).encode()).hexdigest()


def space_hash(space: PromptSpace) -> str:
    """What tells a space from another: SHA-256 over what it makes of a fixed candidate, of choices of a few.

    Of each layer the signs and the binary exponents of what the candidate adds to the first numbers of the start count:
    the last digits depend on the kind of processor, and nobody shall be refused for those. The start itself, which a
    model may have computed, is told by its text or tokens. Of a space whose prompts a model writes nothing is written.
    """
    if isinstance(space, WrittenSpace):
        return hashlib.sha256(f"{space.source} {space_hash(space.vectors)}".encode()).hexdigest()
    rng = np.random.default_rng(0)
    if space.sizes is not None:
        choices = rng.integers(space.sizes, size=(_CHOICES, space.dimension)).astype(np.float64)
        choices[0] = 0
        return hashlib.sha256(
            repr([prompt and _told_by(prompt) for prompt in space.decode(choices)]).encode()
        ).hexdigest()
    candidate = rng.standard_normal((1, space.dimension))
    prompt, start = space.decode(np.vstack([candidate, np.zeros_like(candidate)]))
    if prompt is None or start is None:
        return hashlib.sha256(repr((prompt, start)).encode()).hexdigest()
    found = hashlib.sha256(repr(_told_by(prompt)).encode())
    for layer, vectors in vectors_of(prompt).items():
        began = vectors_of(start).get(layer)
        added = vectors - began if began is not None and began.shape == vectors.shape else vectors
        fractions, exponents = np.frexp(added.ravel()[:_PROBED])
        found.update(f"{layer} {vectors.shape} {np.sign(fractions).tolist()} {exponents.tolist()}".encode())
    return found.hexdigest()


def _told_by(prompt: Prompt) -> tuple[object, ...]:
    """The text or the tokens of a prompt, and its own form, if it has one."""
    if not isinstance(prompt, TextPrompt):
        return prompt.token_ids
    own = own_form(prompt)
    return (prompt.whole, prompt.role, *(own if any(own) else ()))


def changes(then: dict[str, object], now: dict[str, object]) -> list[str]:
    """What differs between two environments, the packages one by one: `numpy 2.3.1, now 2.4.0`."""
    before, after = _versions(then), _versions(now)
    names = sorted(before.keys() | after.keys())
    return [
        f"{name} {before.get(name, 'none')}, now {after.get(name, 'none')}"
        for name in names
        if before.get(name) != after.get(name)
    ]


def _versions(values: dict[str, object]) -> dict[str, object]:
    packages = values["packages"]
    named = {name: values[name] for name in ("python", "platform", "model")}
    return {**named, **(packages if isinstance(packages, dict) else {})}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
