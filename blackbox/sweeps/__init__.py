"""Sweeps: tasks, methods and seeds as one set of runs, and one table of what they found."""

from blackbox.sweeps.pool import Began, Ended, Event, Pool
from blackbox.sweeps.spec import Spec, read_spec
from blackbox.sweeps.sweep import SweepResult, run_sweep
from blackbox.sweeps.watcher import Watcher

__all__ = [
    "Began",
    "Ended",
    "Event",
    "Pool",
    "Spec",
    "SweepResult",
    "Watcher",
    "read_spec",
    "run_sweep",
]
