"""Arrays of calls, told from each other by layer and content, so that the model's cache knows layers that it has seen.

A search changes one layer and keeps the others; a local backend keeps states below the changed layer for prompts that
hold the same array objects. Here the objects come anew with every call. An array that some call has brought before is
the same object again, for as long as anybody holds it: the cache does, for what it has states of.
"""

import hashlib
from collections.abc import Mapping
from threading import Lock
from weakref import WeakValueDictionary

from blackbox.backends.prompts import FloatArray


class KnownArrays:
    """See the module. Safe for threads."""

    def __init__(self) -> None:
        self._known: WeakValueDictionary[bytes, FloatArray] = WeakValueDictionary()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._known)

    def same(self, arrays: Mapping[str, FloatArray], layers: Mapping[str, int]) -> dict[str, FloatArray]:
        """The arrays of one call, each the object that an earlier call had where layer and content are the same.

        Arrays of the call that are two stay two, however alike: what the call has is computed as it would be in the
        client's process, bit for bit. Layers are told from each other, since many may hold the same: a search begins
        with zeros in all of them.

        Args:
            arrays: by name.
            layers: name -> the first layer that has the array.
        """
        found: dict[str, FloatArray] = {}
        taken: set[bytes] = set()
        for name, array in arrays.items():
            key = hashlib.sha256(repr((layers.get(name), array.shape)).encode())
            key.update(array.data)
            digest = key.digest()
            found[name] = array if digest in taken else self._first(digest, array)
            taken.add(digest)
        return found

    def _first(self, digest: bytes, array: FloatArray) -> FloatArray:
        with self._lock:
            return self._known.setdefault(digest, array)
