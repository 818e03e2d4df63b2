"""Errors of the tuning service.

ServiceError (BlackboxError)
├── MissingError (LookupError)     no such job, file, token or backend, or another owner's
├── ConflictError                  it cannot be as things stand
│   ├── StatusError                a job's status does not allow it
│   └── KeyConflictError           an idempotency key came with another request before
├── QuotaError                     a token's quota is used up
├── LostLeaseError                 another worker has the job by now
└── DatabaseError                  the database cannot be used
    └── SchemaError                a newer version of blackbox made it
"""

import blackbox.errors


class ServiceError(blackbox.errors.BlackboxError):
    """Root of all errors of the service."""


class MissingError(ServiceError, LookupError):
    """There is no such job, file, token or backend, or it is another owner's."""


class ConflictError(ServiceError, ValueError):
    """What is asked cannot be as things stand."""


class StatusError(ConflictError):
    """A job's status does not allow what is asked."""


class KeyConflictError(ConflictError):
    """An idempotency key came with another request before."""


class QuotaError(ServiceError, ValueError):
    """A token's quota is used up."""


class LostLeaseError(ServiceError, RuntimeError):
    """Another worker has the job by now; nothing of this one is written any more."""


class DatabaseError(ServiceError, RuntimeError):
    """The database cannot be used: its address is wrong, or it does not answer."""


class SchemaError(DatabaseError):
    """A newer version of blackbox made the database."""
