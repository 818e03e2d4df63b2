"""Models that can be queried: prompts and queries in, scores or texts out.

A leaf package: it knows no optimizer and nothing of the rest of blackbox. Backends that need heavy packages live in
subpackages of their own and are imported only when they are asked for.
"""

from blackbox.backends.base import (
    Backend,
    Capability,
    Failure,
    GeneratingBackend,
    Generations,
    MeteredBackend,
    ModelShape,
    PrefixBackend,
    Query,
    Scores,
    Usage,
    VectorBackend,
    chosen_options,
)
from blackbox.backends.checks import require
from blackbox.backends.errors import (
    BackendError,
    BackendSettingError,
    EndpointDownError,
    EndpointError,
    GarbageError,
    JournalError,
    KeyRefusedError,
    LabelWordError,
    MessageError,
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
from blackbox.backends.prompts import DeepPrompt, Demonstration, PrefixPrompt, Prompt, SoftPrompt, TextPrompt
from blackbox.backends.remote import RemoteBackend
from blackbox.backends.writing import GREEDY, Writing, Written

__all__ = [
    "GREEDY",
    "Backend",
    "BackendError",
    "BackendSettingError",
    "Capability",
    "DeepPrompt",
    "Demonstration",
    "EndpointDownError",
    "EndpointError",
    "Failure",
    "FakeBackend",
    "GarbageError",
    "GeneratingBackend",
    "Generations",
    "JournalError",
    "KeyRefusedError",
    "LabelWordError",
    "MessageError",
    "MeteredBackend",
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
    "RemoteBackend",
    "Scores",
    "SoftPrompt",
    "SpentError",
    "StoppedError",
    "TextPrompt",
    "UnsupportedPromptError",
    "Usage",
    "VectorBackend",
    "Writing",
    "Written",
    "chosen_options",
    "require",
]
