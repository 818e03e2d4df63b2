"""What the formats for vectors share: the prompt as a model's own inputs take it, and the task beside it."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from blackbox.backends import (
    Backend,
    CachedFront,
    CachingBackend,
    EmbeddedFront,
    EmbeddingBackend,
    UnsupportedPromptError,
)
from blackbox.backends.bundled_model import BUNDLED_MODEL, bundled_model_file
from blackbox.backends.prompts import FloatArray
from blackbox.errors import RunError
from blackbox.files import write_json, write_whole
from blackbox.saved_prompt import SavedPrompt
from blackbox.template import Template

TASK_FILE, ARRAYS_FILE = "task.json", "prompt.safetensors"


def at_hand(saved: SavedPrompt, backend: Backend, *, form: str) -> EmbeddingBackend:
    """The backend, if a format that needs the prompt's model can be written from it.

    Raises:
        MismatchError: the prompt was tuned for another model.
        RunError: the model is not at hand, the prompt is an average of several, or hidden states tell its labels.
    """
    if not isinstance(backend, EmbeddingBackend):
        kind = type(backend).__name__
        raise RunError(f"format {form!r} needs the prompt's model at hand (backend 'local' or 'vllm'), got {kind}")
    if saved.readout:
        raise RunError(f"the prompt's labels are told by hidden states of its model, and format {form!r} has none")
    if saved.finished.members or saved.finished.templates:
        count = max(1, len(saved.finished.members)) * max(1, len(saved.finished.templates))
        raise RunError(f"the prompt is an average of {count}, and format {form!r} has room for one")
    saved.check(backend)
    return backend


def front_of(saved: SavedPrompt, backend: EmbeddingBackend) -> EmbeddedFront | CachedFront:
    """The prompt as embeddings where it is as good as these, otherwise as a cache.

    Raises:
        UnsupportedPromptError: it is neither; says why.
    """
    try:
        return backend.embedded_front(saved.prompt)
    except UnsupportedPromptError as reason:
        if not isinstance(backend, CachingBackend):
            raise
        try:
            return backend.cached_front(saved.prompt)
        except UnsupportedPromptError as error:
            if str(error) == str(reason):
                raise
            raise UnsupportedPromptError(f"{reason}; nor as a cache: {error}") from error


def place_of(model: str) -> str:
    """Where others find a model: the file of the bundled one, a path from the root, or its name on the hub."""
    if model == BUNDLED_MODEL:
        return str(bundled_model_file())
    path = Path(model).expanduser()
    return str(path.resolve()) if path.exists() else model


def write_arrays(folder: Path, name: str, arrays: Mapping[str, FloatArray]) -> None:
    """Write arrays as safetensors."""
    write_whole(folder / name, save({key: np.ascontiguousarray(array) for key, array in arrays.items()}))


def write_task(folder: Path, saved: SavedPrompt, backend: EmbeddingBackend, **more: object) -> None:
    """Write all that a program must know besides the arrays."""
    before, after = Template(saved.template).sides
    values = {
        "model": place_of(saved.model),
        "before": before,
        "after": after,
        **saved.blank.terms,
        "offsets": saved.finished.offsets,
        "scores": dict(saved.scores),
        **asdict(backend.frame),
        **more,
    }
    write_json(folder / TASK_FILE, values)
