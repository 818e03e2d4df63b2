"""Errors of the backends.

BackendError
├── BackendSettingError (ValueError)     a setting out of its range, or an unknown choice
├── JournalError (RuntimeError)          the journal of paid answers cannot be read or written
├── LabelWordError (ValueError)          a label word that the model's vocabulary cannot serve
├── MessageError (ValueError)            a message to a model server that is not as it must be
├── MissingModelError (LookupError)      no such model here
├── MissingPackageError (ImportError)    an optional package is not installed
├── ModelMemoryError (MemoryError)       the model does not fit in memory
├── QueryError (ValueError)              a query that the model cannot read
├── UnsupportedPromptError (TypeError)   a prompt of a kind that the backend does not take
└── EndpointError (RuntimeError)         an HTTP endpoint that does not answer as asked
    ├── RefusedError                     it refuses the call itself (400, 404, 422), and will again
    │   └── KeyRefusedError              it refuses the key (401, 403)
    ├── GarbageError                     what came back is no answer
    ├── NoAnswerError                    one call has failed for good; its row is missing
    └── StoppedError                     no further call is made; what was paid for is kept
        ├── SpentError                   a limit of the budget would be passed
        ├── QuotaError                   the account's quota is used up
        └── EndpointDownError            the endpoint has failed for longer than it was allowed to
"""


class BackendError(Exception):
    """Root of all errors of this package."""


class BackendSettingError(BackendError, ValueError):
    """A setting is out of its range or names an unknown choice."""


class JournalError(BackendError, RuntimeError):
    """The journal of paid answers is locked, full, damaged or of a newer version; the text names the file."""


class LabelWordError(BackendError, ValueError):
    """A label word cannot be scored with the model's vocabulary."""


class MessageError(BackendError, ValueError):
    """A message between a model server and its client is not as the protocol says."""


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


class EndpointError(BackendError, RuntimeError):
    """An HTTP endpoint does not answer as asked. Texts never hold a key."""


class RefusedError(EndpointError):
    """The endpoint refuses the call itself, and would again.

    Attributes:
        status: of HTTP.
        parameter: the parameter that the answer names, if it names one.
    """

    def __init__(self, message: str, *, status: int, parameter: str | None = None) -> None:
        super().__init__(message)
        self.status, self.parameter = status, parameter


class KeyRefusedError(RefusedError):
    """The endpoint refuses the key."""


class GarbageError(EndpointError):
    """What came back is no answer: no JSON, another shape, nothing in it."""


class NoAnswerError(EndpointError):
    """One call has failed for good. Its row is missing, never wrong."""


class StoppedError(EndpointError):
    """No further call is made. What was paid for is kept, and a run can be resumed."""


class SpentError(StoppedError):
    """The next call might pass a limit of the budget.

    Attributes:
        limit: "requests", "prompt_tokens", "completion_tokens", "usd" or "seconds".
    """

    def __init__(self, message: str, *, limit: str) -> None:
        super().__init__(message)
        self.limit = limit


class QuotaError(StoppedError):
    """The account behind the key has nothing left; waiting does not help."""


class EndpointDownError(StoppedError):
    """The endpoint has failed for all calls for longer than it was allowed to."""
