"""Formats that are folders: for them the prompt's model must be at hand."""

from collections.abc import Callable
from pathlib import Path

from blackbox.backends import Backend, EmbeddingBackend, UnsupportedPromptError
from blackbox.errors import RunError, unknown_name
from blackbox.export.fronts import at_hand
from blackbox.export.peft import write_peft
from blackbox.export.plain import write_plain
from blackbox.export.vllm import write_vllm
from blackbox.saved_prompt import SavedPrompt

Write = Callable[[SavedPrompt, EmbeddingBackend, Path], None]


def export_folder(saved: SavedPrompt, backend: Backend, form: str, folder: str | Path) -> None:
    """Write a saved prompt into a folder in one of the `FOLDER_FORMATS`.

    "peft" is what `PeftModel.from_pretrained` loads; "transformers" has a program that scores rows by transformers
    alone, "vllm" one that asks vLLM, with a request. What cannot be written so that it scores as the prompt does is
    refused: see docs/exports.md.

    Args:
        saved: the prompt.
        backend: its model, loaded: "local", or for "vllm" also "vllm".
        form: the format.
        folder: made if it is not there; files of the same names are written over.

    Raises:
        UnknownNameError: there is no such format.
        MismatchError: the prompt was tuned for another model.
        RunError: the format is not up to the prompt, the model is not at hand, or the folder cannot be written.
    """
    if form not in FOLDER_FORMATS:
        raise unknown_name("format", form, FOLDER_FORMATS)
    model = at_hand(saved, backend, form=form)
    try:
        FOLDER_FORMATS[form](saved, model, Path(folder))
    except UnsupportedPromptError as error:
        kind = type(saved.prompt).__name__
        raise RunError(f"format {form!r} cannot hold this {kind} for {saved.model}: {error}") from error


FOLDER_FORMATS: dict[str, Write] = {"peft": write_peft, "transformers": write_plain, "vllm": write_vllm}
"""By name."""
