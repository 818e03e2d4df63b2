"""Executors: jobs for workers that are alike, done in this process, in threads or by Ray, with the same answers."""

from blackbox.parallel.executor import Executor, Job, Serial

__all__ = ["Executor", "Job", "Serial"]
