"""The file of a saved prompt's vectors and of those that are averaged with it: safetensors, with its hash in its name.

A tensor is called by its layer ("3"), in a further prompt by that prompt's number and its layer ("1.3").
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from blackbox.backends import DecomposedPrompt, DeepPrompt, PrefixPrompt, Prompt, SoftPrompt
from blackbox.backends.prompts import vectors_of
from blackbox.errors import DamagedFileError
from blackbox.files import write_whole
from blackbox.verbalizers.named_readouts import READOUTS, name_of
from blackbox.verbalizers.readout import Readout

VECTORS_FILES = "prompt-*.safetensors"
Arrays = dict[str, npt.NDArray[Any]]
VECTOR_KINDS: dict[type[Prompt], str] = {
    SoftPrompt: "soft",
    DeepPrompt: "deep",
    PrefixPrompt: "prefix",
    DecomposedPrompt: "decomposed",
}


def write_vectors(prompt: Prompt, others: Sequence[Prompt], folder: Path) -> dict[str, object]:
    """Write the file of a prompt's vectors and of others of its kind; what `prompt.json` says of it.

    Raises:
        RunError: it cannot be written.
    """
    tensors = {str(layer): np.ascontiguousarray(array) for layer, array in vectors_of(prompt).items()}
    for number, other in enumerate(others, start=1):
        tensors |= {f"{number}.{layer}": np.ascontiguousarray(array) for layer, array in vectors_of(other).items()}
    written = _write(tensors, folder)
    further = {"vector_members": [_told(other) for other in others]} if others else {}
    return {**_told(prompt), **written, **further}


def read_vectors(values: Mapping[str, Any], folder: Path) -> tuple[Prompt, tuple[Prompt, ...]]:
    """The prompt, and the others, that `write_vectors` was given, from what it said of them.

    Raises:
        DamagedFileError: the file cannot be read, or is not what was written.
        KeyError, TypeError, ValueError: what was said of it is damaged.
    """
    file = Path(values["vectors"]).name  # never outside the folder
    arrays = _read(folder / file, values["sha256"])
    told = [values, *values.get("vector_members", ())]
    names = [f"{number}." if number else "" for number in range(len(told))]
    said = {f"{name}{layer}" for name, one in zip(names, told, strict=True) for layer in one["layers"]}
    if missing := said ^ set(arrays):
        raise ValueError(f"layers {sorted(missing)} stand in only one of prompt.json and {file}")
    prompt, *others = (
        _made(values["kind"], tuple(one["token_ids"]), {layer: arrays[f"{name}{layer}"] for layer in one["layers"]})
        for name, one in zip(names, told, strict=True)
    )
    return prompt, tuple(others)


def write_readout(readout: Readout, folder: Path) -> dict[str, object]:
    """Write the file of a readout; what `prompt.json` says of it.

    Raises:
        RunError: it cannot be written.
    """
    parts = {name: np.asarray(part, order="C") for name, part in vars(readout).items()}
    written = _write(parts, folder)
    return {
        "readout": name_of(readout),
        "readout_file": written["vectors"],
        "readout_sha256": written["sha256"],
    }


def read_readout(values: Mapping[str, Any], folder: Path) -> Readout | None:
    """The readout that `write_readout` was given, from what it said of it; None where it said nothing.

    Raises:
        DamagedFileError, KeyError, TypeError: as of `read_vectors`.
    """
    if "readout" not in values:
        return None
    parts = _read(folder / Path(values["readout_file"]).name, values["readout_sha256"])
    return READOUTS[values["readout"]](**{name: part if part.ndim else part.item() for name, part in parts.items()})


def _told(prompt: Prompt) -> dict[str, object]:
    token_ids: Sequence[int] = prompt.token_ids  # type: ignore[union-attr]
    return {"token_ids": list(token_ids), "layers": list(vectors_of(prompt))}


def _made(kind: str, tokens: tuple[int, ...], arrays: dict[int, npt.NDArray[np.float32]]) -> Prompt:
    if kind == "soft":
        return SoftPrompt(tokens, arrays[0])
    if kind == "deep":
        return DeepPrompt(tokens, arrays)
    if kind == "prefix":
        return PrefixPrompt(tokens, arrays)
    if kind == "decomposed":
        return DecomposedPrompt(tokens, arrays[0])
    raise ValueError(f"kind must be text, soft, deep, prefix or decomposed, got {kind!r}")


def _write(tensors: Arrays, folder: Path) -> dict[str, object]:
    content = save(tensors)
    sha256 = hashlib.sha256(content).hexdigest()
    name = VECTORS_FILES.replace("*", sha256[:12])
    write_whole(folder / name, content)
    return {"vectors": name, "sha256": sha256}


def _read(path: Path, sha256: str) -> Arrays:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DamagedFileError(f"{path}: {error.strerror or error}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DamagedFileError(f"{path} is damaged: its checksum is not the one in prompt.json")
    try:
        return dict(load(content))
    except SafetensorError as error:
        raise DamagedFileError(f"{path} is damaged: {error}") from error
