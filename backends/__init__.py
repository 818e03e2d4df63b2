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
    EndpointDownError,
    EndpointError,
    GarbageError,
    JournalError,
    KeyRefusedError,
    LabelWordError,
    MissingModelError,
    MissingPackageError,
    ModelMemoryError,
    NoAnswerError,
    QueryError,
    QuotaError,
    RefusedError,
    SpentError,
    StoppedError,
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
    "EndpointDownError",
    "EndpointError",
    "Failure",
    "FakeBackend",
    "GarbageError",
    "JournalError",
    "KeyRefusedError",
    "LabelWordError",
    "MissingModelError",
    "MissingPackageError",
    "ModelMemoryError",
    "ModelShape",
    "NoAnswerError",
    "PrefixBackend",
    "PrefixPrompt",
    "Prompt",
    "Query",
    "QueryError",
    "QuotaError",
    "RefusedError",
    "Scores",
    "SoftPrompt",
    "SpentError",
    "StoppedError",
    "TextPrompt",
    "UnsupportedPromptError",
    "Usage",
    "VectorBackend",
    "require",
]
