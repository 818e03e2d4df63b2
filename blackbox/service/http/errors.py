"""What a request is refused with, and the HTTP status of every error of the packages.

RefusalError
"""

from dataclasses import dataclass

import blackbox.backends.errors as backends
import blackbox.errors as product
import blackbox.optimizers.errors as optimizers
import blackbox.service.errors as service
from blackbox.errors import BlackboxError


@dataclass(frozen=True)
class Kind:
    """A kind of refusal.

    Attributes:
        status: of HTTP.
        code: a word for programs, e.g. "not_found".
        title: a few words for people; of statuses from 500 on all that is told of the error.
    """

    status: int
    code: str
    title: str

    @property
    def type(self) -> str:
        """OpenAI's word for errors of this status."""
        return _TYPES.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")


_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    429: "rate_limit_error",
}

BAD_REQUEST = Kind(400, "bad_request", "The request cannot be read")
UNAUTHENTICATED = Kind(401, "invalid_token", "A valid token is needed")
FORBIDDEN = Kind(403, "forbidden", "This token may not do that")
NOT_FOUND = Kind(404, "not_found", "There is no such thing")
METHOD = Kind(405, "method_not_allowed", "This address does not take that method")
NOT_ACCEPTABLE = Kind(406, "not_acceptable", "There is nothing in the form asked for")
TIMEOUT = Kind(408, "request_timeout", "The request took too long to arrive")
CONFLICT = Kind(409, "conflict", "The state of things does not allow that")
TOO_LARGE = Kind(413, "too_large", "The request is too large")
URI_TOO_LONG = Kind(414, "uri_too_long", "The address is too long")
MEDIA = Kind(415, "unsupported_media_type", "The body has a form that is not taken here")
MISDIRECTED = Kind(421, "misdirected_request", "The Host header names another service")
INVALID = Kind(422, "invalid_request", "A value is not as it must be")
RATE = Kind(429, "rate_limit_exceeded", "Too many requests")
QUOTA = Kind(429, "quota_exceeded", "The token's quota is used up")
HEADERS = Kind(431, "headers_too_large", "The headers are too large")
INTERNAL = Kind(500, "internal_error", "The service failed; the request's id stands in its log")
UPSTREAM = Kind(502, "backend_failed", "The backend did not answer as asked")
UNAVAILABLE = Kind(503, "unavailable", "The service cannot do that now; try again later")
OVERDUE = Kind(504, "timeout", "The service did not finish in time")

KINDS = {
    kind.status: kind
    for kind in (
        *(BAD_REQUEST, UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, METHOD, NOT_ACCEPTABLE, TIMEOUT, CONFLICT, TOO_LARGE),
        *(URI_TOO_LONG, MEDIA, MISDIRECTED, INVALID, RATE, HEADERS, INTERNAL, UPSTREAM, UNAVAILABLE, OVERDUE),
    )
}

STATUSES: dict[type[Exception], Kind] = {
    product.BlackboxError: INTERNAL,
    product.SettingError: INVALID,
    product.UnknownNameError: INVALID,
    product.UnfitOptimizerError: INVALID,
    product.DataError: INVALID,
    product.BudgetError: INVALID,
    product.ExecutorError: UNAVAILABLE,
    product.WorkersLostError: UNAVAILABLE,
    product.RunError: INTERNAL,
    product.DamagedFileError: INTERNAL,
    product.MismatchError: CONFLICT,
    service.ServiceError: INTERNAL,
    service.MissingError: NOT_FOUND,
    service.ConflictError: CONFLICT,
    service.StatusError: CONFLICT,
    service.KeyConflictError: CONFLICT,
    service.QuotaError: QUOTA,
    service.LostLeaseError: CONFLICT,
    service.DatabaseError: UNAVAILABLE,
    service.SchemaError: UNAVAILABLE,
    backends.BackendError: INTERNAL,
    backends.BackendSettingError: INTERNAL,
    backends.JournalError: INTERNAL,
    backends.LabelWordError: INVALID,
    backends.MessageError: UPSTREAM,
    backends.MissingModelError: UNAVAILABLE,
    backends.MissingPackageError: UNAVAILABLE,
    backends.ModelMemoryError: UNAVAILABLE,
    backends.QueryError: INVALID,
    backends.UnsupportedPromptError: CONFLICT,
    backends.EndpointError: UPSTREAM,
    backends.RefusedError: UPSTREAM,
    backends.KeyRefusedError: UPSTREAM,
    backends.GarbageError: UPSTREAM,
    backends.NoAnswerError: UPSTREAM,
    backends.StoppedError: UNAVAILABLE,
    backends.SpentError: QUOTA,
    backends.QuotaError: UNAVAILABLE,
    backends.EndpointDownError: UNAVAILABLE,
    optimizers.OptimizerError: INTERNAL,
    optimizers.TellError: INTERNAL,
    optimizers.TurnError: INTERNAL,
    optimizers.SettingError: INVALID,
    optimizers.StateError: INTERNAL,
    optimizers.MissingPackageError: UNAVAILABLE,
    optimizers.SearchError: INTERNAL,
}


class RefusalError(BlackboxError):
    """A request that is answered with an error.

    Attributes:
        kind: of the error.
        message: one line for the caller.
        param: the part of the request that is wrong, e.g. "settings.sigma"; None where no one part is.
        headers: to be sent along, e.g. Retry-After.
    """

    def __init__(
        self, kind: Kind, message: str, *, param: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.kind, self.message, self.param, self.headers = kind, message, param, headers or {}


def kind_of(error: Exception) -> Kind:
    """The kind of an error of the packages; of any other, `INTERNAL`."""
    return next((STATUSES[base] for base in type(error).__mro__ if base in STATUSES), INTERNAL)


def refusal_of(error: Exception) -> RefusalError:
    """What a caller is told of an error: its own text below 500, where it is about the request; the title above."""
    if isinstance(error, RefusalError):
        return error
    kind = kind_of(error)
    text = " ".join(str(error).split()) if kind.status < 500 else ""
    return RefusalError(kind, text or kind.title)
