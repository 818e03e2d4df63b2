"""A message between a model server and its client: one safetensors file, with JSON values in its metadata. No pickle.

    bytes 0-7    n, the length of the header, unsigned, little-endian
    n bytes      the header, JSON: the dtype, shape and place of each tensor, and `__metadata__` with one key,
                 "message", whose value is a text: the message's values as JSON
    the rest     the tensors, little-endian, in C order, one behind the other without gaps

Format: https://huggingface.co/docs/safetensors
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from blackbox.backends.errors import MessageError

Array = npt.NDArray[Any]

MEDIA_TYPE = "application/x-safetensors"
MOST_HEADER = 32 * 1024 * 1024
"""A header is not longer than this, bytes."""

_KEY = "message"
_LENGTH = 8
_DTYPES = {"F32": np.float32, "F64": np.float64, "I64": np.int64}


def packed(values: Mapping[str, object], tensors: Mapping[str, Array]) -> bytes:
    """The bytes of a message.

    Args:
        values: of JSON, without NaN.
        tensors: of float32, float64 or int64, any shape of one dimension or more.
    """
    text = json.dumps(values, allow_nan=False, separators=(",", ":"))  # ASCII: Python's texts may hold half a pair
    whole = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    return save(whole, metadata={_KEY: text})


def unpacked(content: bytes) -> tuple[dict[str, Any], dict[str, Array]]:
    """The values and the tensors of a message; the tensors are read-only and own their memory.

    Raises:
        MessageError: it is no such file, it holds something else as well, or a tensor of another type.
    """
    values = _values(content)
    try:
        parts = deserialize(content)  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise MessageError(f"a message must be a safetensors file: {error}") from error
    return values, {name: _array(name, part) for name, part in parts}


def _values(content: bytes) -> dict[str, Any]:
    length = int.from_bytes(content[:_LENGTH], "little")
    if len(content) < _LENGTH or length > min(len(content) - _LENGTH, MOST_HEADER):
        raise MessageError(f"a message must be a safetensors file, got {len(content)} bytes of something else")
    header = _json(content[_LENGTH : _LENGTH + length], "the header")
    metadata = header.get("__metadata__")
    if not isinstance(metadata, dict) or list(metadata) != [_KEY] or not isinstance(metadata[_KEY], str):
        raise MessageError(f"the metadata of a message must have one key, {_KEY!r}, with a text")
    return _json(metadata[_KEY], "the message")


def _json(text: str | bytes, what: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_refused, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise MessageError(f"{what} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise MessageError(f"{what} must be a JSON object, got {type(value).__name__}")
    return value


def _refused(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key stands twice in an object")
    return values


def _array(name: str, part: Mapping[str, Any]) -> Array:
    if part["dtype"] not in _DTYPES:
        raise MessageError(f"tensor {name!r} must be of {', '.join(_DTYPES)}, got {part['dtype']}")
    dtype = np.dtype(_DTYPES[part["dtype"]]).newbyteorder("<")
    array = np.frombuffer(part["data"], dtype=dtype).reshape(part["shape"])
    array.setflags(write=False)
    return array
