"""The table of a model's word embeddings, read from its files without the rest of the model."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import safe_open

from blackbox.backends.errors import MissingModelError
from blackbox.backends.local.weights import ModelFiles

FloatArray = npt.NDArray[np.float32]

_ENDINGS = ("embed_tokens.weight", "wte.weight", "embed_in.weight", "word_embeddings.weight")
"""How families of decoders name the table: Llama and OPT, GPT-2, GPT-NeoX, Bloom and Falcon."""


def read_embeddings(files: ModelFiles) -> FloatArray:
    """The embeddings of all tokens, shape (vocabulary_size, hidden_size), float32.

    Raises:
        MissingModelError: the weights are no safetensors, or no table in them has a name that is known.
    """
    for path in files.weights():
        if path.suffix != ".safetensors":
            raise MissingModelError(f"{path}: the embeddings are read from safetensors; this is another format")
        if (table := _in_file(path)) is not None:
            return table
    raise MissingModelError(f"{files.folder}: no table of word embeddings is there (a tensor named ...{_ENDINGS[0]})")


def _in_file(path: Path) -> FloatArray | None:
    with safe_open(path, framework="pt") as file:
        name = next((name for name in file.keys() if name.endswith(_ENDINGS)), None)  # noqa: SIM118 - no mapping
        return None if name is None else np.asarray(file.get_tensor(name).float().numpy())
