"""From a model's name and a server's address to a `VllmBackend`."""

import torch
from transformers import AutoConfig, AutoTokenizer

from blackbox.backends.api.transport import Transport
from blackbox.backends.errors import BackendSettingError, MissingModelError
from blackbox.backends.local.encoding import CausalEncoder
from blackbox.backends.local.reading import Reading, reading_of
from blackbox.backends.local.weights import find_model, model_hash
from blackbox.backends.vllm.backend import VllmBackend
from blackbox.backends.vllm.embeddings import read_embeddings

_LONGEST = 1_000_000


def load_vllm(
    model: str,
    transport: Transport,
    *,
    files: str | None = None,
    revision: str | None = None,
    dtype: str = "float32",
    single_token_labels: bool = False,
) -> VllmBackend:
    """The backend of a model behind vLLM. Of the weights at hand only the table of embeddings is loaded.

    Args:
        model: as the server names it.
        transport: to the server.
        files: a folder with the same model, or its name on the Hugging Face hub; None: `model` is that.
        revision: the hub repository's branch, tag or commit.
        dtype: that embeddings are sent in: "float32", "bfloat16" or "float16".
        single_token_labels: refuse label words that are more than one token.

    Raises:
        BackendSettingError: a model that does not read left to right.
        MissingModelError: no such model is at hand, or files that are not one.
        EndpointError: as of `VllmBackend`.
    """
    found = find_model(files or model, revision)
    try:
        config = AutoConfig.from_pretrained(found.folder, trust_remote_code=False)
        tokenizer = AutoTokenizer.from_pretrained(found.folder, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise MissingModelError(f"model {files or model!r} could not be read: {reason}") from error
    if reading_of(config) is not Reading.CAUSAL:
        raise BackendSettingError(f"vLLM takes embeddings of models that read left to right, got {config.model_type!r}")
    longest = getattr(config, "max_position_embeddings", None) or _LONGEST
    encoder = CausalEncoder(tokenizer, single_token_labels=single_token_labels, max_tokens=longest)
    return VllmBackend(
        model,
        encoder,
        tokenizer,
        embeddings=read_embeddings(found),
        transport=transport,
        model_hash=model_hash(found),
        dtype=getattr(torch, dtype),
    )
