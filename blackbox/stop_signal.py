"""SIGTERM stops a program as Ctrl-C does."""

import signal
import sys
import threading
from types import FrameType

_AGAIN_S = 0.01


def stop_at_sigterm() -> None:
    """Let SIGTERM raise KeyboardInterrupt in the main thread, from where this is called.

    Python drops what is raised inside a finalizer or a callback of a weak reference, and a signal may come just then:
    it is raised again a moment later.
    """
    signal.signal(signal.SIGTERM, _stop)
    others = sys.unraisablehook

    def again(dropped: "sys.UnraisableHookArgs") -> None:
        if dropped.exc_type is KeyboardInterrupt:
            threading.Timer(_AGAIN_S, _stop_main_thread).start()
        else:
            others(dropped)

    sys.unraisablehook = again


def _stop_main_thread() -> None:
    """Also where it waits, which a signal to another thread would not end."""
    if sys.platform == "win32":
        signal.raise_signal(signal.SIGTERM)
    else:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)


def _stop(signal_number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
