"""Folders with a program that scores rows behind the prompt by transformers alone: see `with_transformers`."""

from collections.abc import Mapping
from pathlib import Path

from blackbox.backends import (
    CachedFront,
    DecomposedPrompt,
    DeepPrompt,
    EmbeddedFront,
    EmbeddingBackend,
    SoftPrompt,
    UnsupportedPromptError,
)
from blackbox.backends.prompts import FloatArray, vectors_of
from blackbox.export.fronts import ARRAYS_FILE, front_of, write_arrays, write_task
from blackbox.files import write_whole
from blackbox.saved_prompt import SavedPrompt

_PROGRAM = Path(__file__).with_name("with_transformers.py")


def write_plain(saved: SavedPrompt, backend: EmbeddingBackend, folder: Path) -> None:
    """Write `score.py`, `prompt.safetensors` and `task.json`.

    The arrays are embeddings or keys and values where the prompt can be had as these, and otherwise its vectors, which
    the program adds in the layers.

    Raises:
        UnsupportedPromptError: the prompt is a prefix, and the model takes none by its cache.
        RunError: the folder cannot be written.
    """
    tokens: tuple[int, ...] = ()
    try:
        arrays = _inputs(front_of(saved, backend))
    except UnsupportedPromptError:
        if not isinstance(saved.prompt, SoftPrompt | DeepPrompt | DecomposedPrompt):
            raise
        tokens, arrays = saved.prompt.token_ids, _vectors(saved.prompt)
    write_arrays(folder, ARRAYS_FILE, arrays)
    write_task(folder, saved, backend, tokens=tokens)
    write_whole(folder / "score.py", _PROGRAM.read_bytes())


def _inputs(front: EmbeddedFront | CachedFront) -> Mapping[str, FloatArray]:
    if isinstance(front, EmbeddedFront):
        return {"embeddings": front.embeddings}
    return {"keys_values": front.keys_values}


def _vectors(prompt: SoftPrompt | DeepPrompt | DecomposedPrompt) -> Mapping[str, FloatArray]:
    """By the number of the layer."""
    return {str(layer): vectors for layer, vectors in vectors_of(prompt).items()}
