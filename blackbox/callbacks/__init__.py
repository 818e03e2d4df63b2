"""What watches a search: the protocol, and the progress display of the terminal (`blackbox.callbacks.progress`)."""

from blackbox.callbacks.base import Callback, Progress

__all__ = ["Callback", "Progress"]
