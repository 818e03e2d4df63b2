"""Errors of the client.

ClientError (BlackboxError)
├── RefusedByServiceError      the service has answered with an error
└── UnreachableError           it does not answer, or breaks off
"""

import blackbox.errors


class ClientError(blackbox.errors.BlackboxError):
    """Root of all errors of the client. Texts never hold a token."""


class RefusedByServiceError(ClientError):
    """The service has answered with an error.

    Attributes:
        status: of HTTP.
        code: of the error, e.g. "not_found".
        param: the part of the request that is wrong, if one is.
        request_id: stands in the service's log.
    """

    def __init__(
        self, message: str, *, status: int, code: str = "", param: str | None = None, request_id: str = ""
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.param, self.request_id = status, code, param, request_id


class UnreachableError(ClientError):
    """The service does not answer, or its answer breaks off."""
