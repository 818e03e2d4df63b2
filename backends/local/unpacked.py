"""The bundled model in transformers' own format, made from its GGUF file once a machine.

transformers goes through a GGUF file three times in Python, half a minute's work; the same weights as safetensors take
it a second or two. They are the float32 numbers that it unpacks from the file, bit for bit.
"""

import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import transformers
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer

from blackbox.backends.bundled_model import BUNDLED_MODEL
from blackbox.backends.local.weights import ModelFiles, model_hash

VARIABLE = "BLACKBOX_CACHE"

log = logging.getLogger(__name__)


def unpacked(name: str, files: ModelFiles) -> ModelFiles:
    """The folder that the bundled model is unpacked in; of another model, or where it cannot be kept, its own files.

    Args:
        name: of the model.
        files: what `find_model` has for it.
    """
    if name != BUNDLED_MODEL:
        return files
    folder = cache_folder() / f"{model_hash(files)[:16]}-transformers-{transformers.__version__}"
    if not folder.is_dir():
        try:
            _unpack(files, folder)
        except (OSError, SafetensorError) as error:  # no room or no rights, or another process was quicker
            log.info("the bundled model is not kept in %s: %s", folder, error)
    return ModelFiles(folder) if folder.is_dir() else files


def cache_folder() -> Path:
    """$BLACKBOX_CACHE, or a folder in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get(VARIABLE) or cache / "blackbox")


def _unpack(files: ModelFiles, folder: Path) -> None:
    """Write beside the folder, then give it the name: it is whole, or not there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    begun = Path(tempfile.mkdtemp(dir=folder.parent, prefix="unpacking-"))
    place: dict[str, Any] = {"gguf_file": files.gguf_file, "trust_remote_code": False}
    try:
        AutoTokenizer.from_pretrained(files.folder, **place).save_pretrained(begun)
        model = AutoModelForCausalLM.from_pretrained(files.folder, **place)
        if (quantizer := getattr(model, "hf_quantizer", None)) is not None:
            quantizer.remove_quantization_config(model)  # its weights are no longer quantized
        model.save_pretrained(begun)
        for path in begun.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        begun.rename(folder)
    finally:
        shutil.rmtree(begun, ignore_errors=True)
