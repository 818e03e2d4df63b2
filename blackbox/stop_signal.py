"""SIGTERM stops a program as Ctrl-C does."""

import signal
import sys
from types import FrameType

_AGAIN_S = 0.01


def stop_at_sigterm() -> None:
    """Let SIGTERM raise KeyboardInterrupt in the main thread, from where this is called.

    Python drops what is raised inside a finalizer or a callback of a weak reference, and a signal may come just then:
    it is raised again a moment later. That needs SIGALRM, which nothing else here uses.
    """
    signal.signal(signal.SIGTERM, _stop)
    if sys.platform != "win32":
        _raise_again()


def _raise_again() -> None:
    others, telling = sys.unraisablehook, False

    def again(dropped: "sys.UnraisableHookArgs") -> None:
        nonlocal telling
        if dropped.exc_type is not KeyboardInterrupt:
            others(dropped)
            return
        telling = True  # what is raised in here would be dropped as well
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_S, _AGAIN_S)
        telling = False

    def rung(signal_number: int, frame: FrameType | None) -> None:
        if not telling:
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, rung)
    sys.unraisablehook = again


def _stop(signal_number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
