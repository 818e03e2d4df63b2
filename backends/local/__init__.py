"""Models of the transformers library, run in this process. Needs the extra `local` (torch, transformers)."""

from blackbox.backends.local.backend import LocalBackend
from blackbox.backends.local.loading import load_backend

__all__ = ["LocalBackend", "load_backend"]
