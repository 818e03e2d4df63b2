"""A model as bytes and arrays: what is pickled with protocol 5 leaves the arrays in place, for processes to share."""

import io
import pickle
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

_CARRIERS = {torch.bfloat16: torch.int16}
"""Types that numpy lacks -> those of the same width that carry them."""


class _Pickler(pickle.Pickler):
    """Leaves tensors out and keeps their arrays; a tensor that stands in several places is kept once."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=5)
        self.arrays: list[npt.NDArray[Any]] = []
        self._places: dict[int, int] = {}

    def persistent_id(self, value: Any) -> Any:
        if not isinstance(value, Tensor):
            return None
        if id(value) not in self._places:
            self._places[id(value)] = len(self.arrays)
            carried = value.detach().cpu()
            self.arrays.append(carried.view(_CARRIERS.get(value.dtype, value.dtype)).numpy())
        return self._places[id(value)], value.dtype, isinstance(value, nn.Parameter)


class _Unpickler(pickle.Unpickler):
    """Puts tensors back, over the memory of their arrays."""

    def __init__(self, file: io.BytesIO, arrays: list[npt.NDArray[Any]]) -> None:
        super().__init__(file)
        self._arrays = arrays
        self._tensors: dict[int, Tensor] = {}

    def persistent_load(self, key: Any) -> Tensor:
        place, dtype, is_parameter = key
        if place not in self._tensors:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message=".*not writable.*")  # nobody writes to weights here
                tensor = torch.from_numpy(np.asarray(self._arrays[place])).view(dtype)
            self._tensors[place] = nn.Parameter(tensor, requires_grad=False) if is_parameter else tensor
        return self._tensors[place]


def taken_apart(model: nn.Module) -> tuple[bytes, list[npt.NDArray[Any]]]:
    """The model without its tensors, and their arrays; on the CPU nothing is copied."""
    file = io.BytesIO()
    pickler = _Pickler(file)
    pickler.dump(model)
    return file.getvalue(), pickler.arrays


def put_together(skeleton: bytes, arrays: list[npt.NDArray[Any]]) -> Any:
    """The model that `taken_apart` was given, on the CPU, over the memory of the arrays."""
    return _Unpickler(io.BytesIO(skeleton), arrays).load()
