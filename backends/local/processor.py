"""What a processor does well."""

import torch


def fast_on_cpu(dtype: torch.dtype) -> bool:
    """Whether this machine's processor has instructions for products in a precision of 16 bits."""
    if dtype == torch.bfloat16:
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return bool(torch.cpu._is_amx_fp16_supported())
