"""How much memory is free, how many tokens a forward pass may hold in it, and what kept states take."""

from typing import Any

import psutil
import torch

_SHARE = 0.25  # of the memory; the rest is for the weights, the allocator's fragments, other workers and the caller
_MOST_TOKENS = {"cpu": 1024, "cuda": 32768}  # more gains nothing: a CPU's caches and a GPU's cores are full by then


def free_bytes(device: torch.device) -> int:
    """Bytes that can still be allocated on a device."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def total_bytes(device: torch.device) -> int:
    """Bytes that a device has in all: what a setting may depend on, so that it is the same in every run there."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[1])
    return int(psutil.virtual_memory().total)


def default_cache_bytes(device: torch.device) -> int:
    """A sixteenth of the device's memory."""
    return total_bytes(device) // 16


def fitting_batch_tokens(config: Any, device: torch.device, itemsize: int) -> int:
    """The most tokens of one forward pass that fit in a quarter of the device's memory.

    A layer holds about eight vectors of the hidden size and four of the feed-forward size for each token at once.
    """
    hidden = int(config.hidden_size)
    inner = int(getattr(config, "intermediate_size", None) or getattr(config, "d_ff", None) or 4 * hidden)
    fitting = int(_SHARE * total_bytes(device)) // (itemsize * (8 * hidden + 4 * inner))
    return max(1, min(fitting, _MOST_TOKENS.get(device.type, 1024)))


def is_out_of_memory(error: RuntimeError) -> bool:
    """A GPU's lack of memory has a class of its own, a CPU's has not."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
