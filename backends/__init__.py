"""Models that can be queried: prompts and queries in, scores out.

A leaf package: it knows no optimizer and nothing of the rest of blackbox. Backends that need heavy packages live in
subpackages of their own and are imported only when they are asked for.
"""

from blackbox.backends.base import (
    Backend,
    Capability,
    Failure,
    ModelShape,
    PrefixBackend,
    Query,
    Scores,
    Usage,
    VectorBackend,
    require,
)
from blackbox.backends.errors import (
    BackendError,
    BackendSettingError,
    JournalError,
    LabelWordError,
    MissingModelError,
    MissingPackageError,
    ModelMemoryError,
    QueryError,
    UnsupportedPromptError,
)
from blackbox.backends.fake import FakeBackend
from blackbox.backends.prompts import DeepPrompt, PrefixPrompt, Prompt, SoftPrompt, TextPrompt

__all__ = [
    "Backend",
    "BackendError",
    "BackendSettingError",
    "Capability",
    "DeepPrompt",
    "Failure",
    "FakeBackend",
    "JournalError",
    "LabelWordError",
    "MissingModelError",
    "MissingPackageError",
    "ModelMemoryError",
    "ModelShape",
    "PrefixBackend",
    "PrefixPrompt",
    "Prompt",
    "Query",
    "QueryError",
    "Scores",
    "SoftPrompt",
    "TextPrompt",
    "UnsupportedPromptError",
    "Usage",
    "VectorBackend",
    "require",
]
