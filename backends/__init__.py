"""Models that can be queried: prompts and queries in, scores out.

A leaf package: it knows no optimizer and nothing of the rest of blackbox. Backends that need heavy packages live in
subpackages of their own and are imported only when they are asked for.
"""

from blackbox.backends.base import (
    Backend,
    Capability,
    Failure,
    MeteredBackend,
    ModelShape,
    PrefixBackend,
    Query,
    Scores,
    Usage,
    VectorBackend,
    chosen_options,
    require,
)
from blackbox.backends.errors import (
    BackendError,
    BackendSettingError,
    EndpointError,
    LabelWordError,
    MissingModelError,
    MissingPackageError,
    ModelMemoryError,
    QueryError,
    StoppedError,
    UnsupportedPromptError,
)
from blackbox.backends.fake import FakeBackend
from blackbox.backends.prompts import DeepPrompt, Demonstration, PrefixPrompt, Prompt, SoftPrompt, TextPrompt

__all__ = [
    "Backend",
    "BackendError",
    "BackendSettingError",
    "Capability",
    "DeepPrompt",
    "Demonstration",
    "EndpointError",
    "Failure",
    "FakeBackend",
    "LabelWordError",
    "MeteredBackend",
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
    "StoppedError",
    "TextPrompt",
    "UnsupportedPromptError",
    "Usage",
    "VectorBackend",
    "chosen_options",
    "require",
]
