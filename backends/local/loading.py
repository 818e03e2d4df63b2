"""From a model's name to a `LocalBackend`."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
)
from transformers import modeling_gguf_pytorch_utils as gguf
from transformers.utils import logging as transformers_logging

from blackbox.backends.errors import BackendSettingError, MissingModelError, ModelMemoryError
from blackbox.backends.local.backend import LocalBackend
from blackbox.backends.local.memory import free_bytes
from blackbox.backends.local.processor import fast_on_cpu
from blackbox.backends.local.reading import Reading, reading_of
from blackbox.backends.local.unpacked import unpacked
from blackbox.backends.local.weights import ModelFiles, find_model, model_hash

log = logging.getLogger(__name__)

_CLASSES: dict[Reading, Any] = {
    Reading.CAUSAL: AutoModelForCausalLM,
    Reading.MASKED: AutoModelForMaskedLM,
    Reading.ENCODER_DECODER: AutoModelForSeq2SeqLM,
}
"""The classes of transformers that load a model with its language head."""

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def load_backend(
    model: str,
    *,
    revision: str | None = None,
    dtype: str = "float32",
    device: str = "auto",
    batch_tokens: int | None = None,
    cache_bytes: int | None = None,
    cache_on: str = "device",
    single_token_labels: bool = False,
    shortcuts: bool = True,
    threads: int | None = None,
) -> LocalBackend:
    """Load a causal, masked or encoder-decoder language model with its tokenizer.

    Args:
        model: "smollm2-135m" (bundled), a folder, a GGUF file, or a name on the Hugging Face hub.
        revision: the hub repository's branch, tag or commit.
        dtype: "float32", "bfloat16" or "float16".
        device: "auto" (CUDA where there is one, otherwise the CPU), "cpu", "cuda", "cuda:1", ...
        batch_tokens: the most tokens of one forward pass; None fits it to the device.
        cache_bytes, cache_on: memory for hidden states that prompts share; see `LocalBackend`.
        single_token_labels: refuse label words that are more than one token.
        shortcuts: False runs the whole model for every prompt.
        threads: of a forward pass on the CPU; see `LocalBackend`.

    Raises:
        BackendSettingError: an unknown dtype or device.
        MissingModelError: no such model, or files that are not a model.
        ModelMemoryError: the weights do not fit in the memory that is free.
    """
    if dtype not in DTYPES:
        raise BackendSettingError(f"dtype must be one of {', '.join(DTYPES)}, got {dtype!r}")
    place = _device(device)
    if place.type == "cpu" and DTYPES[dtype] != torch.float32 and not fast_on_cpu(DTYPES[dtype]):
        log.warning(
            "this processor has no instructions for %s, which is slower here than float32 and less exact", dtype
        )
    files = source = find_model(model, revision)
    with _quiet_transformers():
        try:
            source = unpacked(model, files)
            network, tokenizer = _load(source, model, DTYPES[dtype], place)
        except torch.OutOfMemoryError as error:
            raise ModelMemoryError(f"model {model!r} does not fit in the free memory of {place}") from error
        except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise MissingModelError(f"model {model!r} could not be loaded from {source.folder}: {reason}") from error
    return LocalBackend(
        network,
        tokenizer,
        name=model,
        model_hash=model_hash(files),
        batch_tokens=batch_tokens,
        cache_bytes=cache_bytes,
        cache_on=cache_on,
        single_token_labels=single_token_labels,
        shortcuts=shortcuts,
        threads=threads,
    )


def _load(files: ModelFiles, name: str, dtype: torch.dtype, device: torch.device) -> tuple[Any, Any]:
    place = {"gguf_file": files.gguf_file} if files.gguf_file else {}
    config = AutoConfig.from_pretrained(files.folder, trust_remote_code=False, **place)
    _check_memory(config, name, dtype, device)
    tokenizer = AutoTokenizer.from_pretrained(files.folder, trust_remote_code=False, **place)
    kind = _CLASSES[reading_of(config)]
    model = kind.from_pretrained(files.folder, config=config, dtype=dtype, trust_remote_code=False, **place)
    return model.to(device), tokenizer


def _check_memory(config: Any, name: str, dtype: torch.dtype, device: torch.device) -> None:
    with torch.device("meta"):
        skeleton = _CLASSES[reading_of(config)].from_config(config, trust_remote_code=False)
    needed = sum(parameter.numel() for parameter in skeleton.parameters()) * dtype.itemsize
    free = free_bytes(device)
    if needed > free:
        raise ModelMemoryError(
            f"model {name!r} needs {needed / 1e9:.1f} GB in {str(dtype).removeprefix('torch.')}, {free / 1e9:.1f} GB "
            f"are free on {device}; choose a smaller model{', or bfloat16' if dtype == torch.float32 else ''}"
        )


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise BackendSettingError(f"unknown device {name!r}; use 'auto', 'cpu' or 'cuda'") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise BackendSettingError(f"device {name!r} is not here; {torch.cuda.device_count()} CUDA devices are")
    return device


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """No progress bars and no advice from transformers while a model is loaded; its settings are put back."""
    level, bars, gguf_bar = (
        transformers_logging.get_verbosity(),
        transformers_logging.is_progress_bar_enabled(),
        gguf.tqdm,
    )
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    gguf.tqdm = partial(gguf_bar, disable=True)  # the bar of GGUF files knows no setting
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        gguf.tqdm = gguf_bar
        if bars:
            transformers_logging.enable_progress_bar()
