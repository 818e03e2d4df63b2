"""Where a model's files are, and a hash that tells one model from another."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from blackbox.backends.bundled_model import BUNDLED_MODEL, bundled_model_file
from blackbox.backends.errors import MissingModelError

_WEIGHTS = ("*.gguf", "*.safetensors", "pytorch_model*.bin")
_CONFIG = ("*.json", "*.model", "*.txt", "*.jinja")


@dataclass(frozen=True)
class ModelFiles:
    """A folder that `from_pretrained` can load, and the GGUF file in it where the weights are one."""

    folder: Path
    gguf_file: str | None = None

    def weights(self) -> list[Path]:
        """The weight files in a fixed order; safetensors are preferred to pickled weights, as transformers does."""
        if self.gguf_file is not None:
            return [self.folder / self.gguf_file]
        return next((files for pattern in _WEIGHTS if (files := sorted(self.folder.glob(pattern)))), [])


def find_model(name: str, revision: str | None) -> ModelFiles:
    """The files of the bundled model, of a folder, of a GGUF file, or of a repository of the Hugging Face hub.

    Args:
        name: "smollm2-135m", a path, or a hub name such as "gpt2".
        revision: branch, tag or commit of the hub repository; None is its default branch.

    Raises:
        MissingModelError: there is no such model, or the hub is out of reach and holds it not in its local cache.
    """
    if name == BUNDLED_MODEL:
        file = bundled_model_file()
        return ModelFiles(file.parent, file.name)
    path = Path(name).expanduser()
    if path.suffix == ".gguf" and path.is_file():
        return ModelFiles(path.parent, path.name)
    files = ModelFiles(path if path.is_dir() else _from_hub(name, revision))
    if not (files.folder / "config.json").is_file():
        raise MissingModelError(f"folder {str(files.folder)!r} holds no config.json: it is no model of transformers")
    if not files.weights():
        raise MissingModelError(f"folder {str(files.folder)!r} holds no weights ({', '.join(_WEIGHTS)})")
    return files


def model_hash(files: ModelFiles) -> str:
    """SHA-256 over the names and contents of the weight files, hexadecimal."""
    digest = hashlib.sha256()
    for path in files.weights():
        digest.update(path.name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _from_hub(name: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        patterns = ["*.safetensors", *_CONFIG]
        return Path(snapshot_download(name, revision=revision, allow_patterns=patterns))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise MissingModelError(
            f"model {name!r} is no folder here and could not be had from the Hugging Face hub ({reason}); "
            f"give a folder, a name on the hub, or {BUNDLED_MODEL!r}"
        ) from error
