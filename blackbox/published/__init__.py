"""The tasks that black-box tuning is reported on, with their published templates and label words."""

from blackbox.published.loading import PublishedTask, load

__all__ = ["PublishedTask", "load"]
