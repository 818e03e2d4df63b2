"""Errors of the backends.

BackendError
├── BackendSettingError (ValueError)     a setting out of its range, or an unknown choice
├── LabelWordError (ValueError)          a label word that the model's vocabulary cannot serve
├── MissingModelError (LookupError)      no such model here
├── MissingPackageError (ImportError)    an optional package is not installed
├── ModelMemoryError (MemoryError)       the model does not fit in memory
├── QueryError (ValueError)              a query that the model cannot read
└── UnsupportedPromptError (TypeError)   a prompt of a kind that the backend does not take
"""


class BackendError(Exception):
    """Root of all errors of this package."""


class BackendSettingError(BackendError, ValueError):
    """A setting is out of its range or names an unknown choice."""


class LabelWordError(BackendError, ValueError):
    """A label word cannot be scored with the model's vocabulary."""


class MissingModelError(BackendError, LookupError):
    """The model is not installed, not a folder and not to be had from the hub."""


class MissingPackageError(BackendError, ImportError):
    """An optional package is missing; the text names the command that installs it."""


class ModelMemoryError(BackendError, MemoryError):
    """The model's weights, or one row, do not fit in the memory that is free."""


class QueryError(BackendError, ValueError):
    """A query is longer than the model can read, or the queries of a call have numbers of options that cannot be."""


class UnsupportedPromptError(BackendError, TypeError):
    """The backend does not take prompts of this kind."""
