"""Why a job has ended: what the service adds to the stop reasons of a search.

A job that has succeeded has the search's own: "evaluations", "seconds", "usd", "target", "patience", ...
"""

from typing import Final

CANCELLED: Final = "cancelled"
"""Its owner has cancelled it."""

INVALID: Final = "invalid"
"""Its settings or its data cannot be used; the error says why."""

ERROR: Final = "error"
"""It failed in mid-run, or the model could not be loaded or asked."""

WORKER_LOST: Final = "worker_lost"
"""Its workers ended again and again without getting further."""
