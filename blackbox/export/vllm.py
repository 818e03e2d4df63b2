"""Folders with a request for vLLM, and a program that asks it about rows: see `with_vllm`.

The request is POST /v1/completions with `prompt_embeds` (https://docs.vllm.ai/en/stable/features/prompt_embeds/). The
server takes the embeddings of the prompt and of a row in one tensor, so that the row's are put behind the prompt's
before it is asked. As it stands in the folder the request has the prompt alone.
"""

from pathlib import Path

from blackbox.backends import EmbeddingBackend, UnsupportedPromptError
from blackbox.export.fronts import ARRAYS_FILE, write_arrays, write_task
from blackbox.files import write_json, write_whole
from blackbox.saved_prompt import SavedPrompt

_PROGRAM = Path(__file__).with_name("with_vllm.py")


def write_vllm(saved: SavedPrompt, backend: EmbeddingBackend, folder: Path) -> None:
    """Write `request.json`, `ask.py`, `prompt.safetensors` and `task.json`.

    Raises:
        UnsupportedPromptError: the prompt is no sequence of embeddings, or the model does not read left to right.
        RunError: the folder cannot be written.
    """
    from blackbox.backends.vllm.calls import embeds_body  # needs torch, as every backend of embeddings does

    if backend.frame.reads != "left to right":
        raise UnsupportedPromptError(
            f"vLLM takes embeddings of models that read left to right, not {backend.frame.reads}"
        )
    embeddings = backend.embedded_front(saved.prompt).embeddings
    write_arrays(folder, ARRAYS_FILE, {"embeddings": embeddings})
    write_task(folder, saved, backend)
    write_whole(folder / "ask.py", _PROGRAM.read_bytes())
    write_json(folder / "request.json", embeds_body(saved.model, embeddings))
