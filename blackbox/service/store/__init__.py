"""What the service keeps: tokens, files, jobs with their events and evaluations, in SQLite or PostgreSQL."""

from blackbox.service.store.rows import (
    LOCAL_OWNER,
    Artifact,
    Event,
    Job,
    JobBudget,
    JobCheckpoint,
    JobEvaluation,
    JobProgress,
    NewEvent,
    Page,
    Quotas,
    Role,
    StoredFile,
    Token,
)
from blackbox.service.store.store import Store, open_store

__all__ = [
    "LOCAL_OWNER",
    "Artifact",
    "Event",
    "Job",
    "JobBudget",
    "JobCheckpoint",
    "JobEvaluation",
    "JobProgress",
    "NewEvent",
    "Page",
    "Quotas",
    "Role",
    "Store",
    "StoredFile",
    "Token",
    "open_store",
]
