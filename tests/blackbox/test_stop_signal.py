"""SIGTERM and Ctrl-C in real processes."""

import signal
import subprocess
import sys

import pytest

_PROGRAM = """
import os, signal, sys, time, weakref
from blackbox.stop_signal import stop_at_sigterm

class Held:
    pass

stop_at_sigterm()
held = Held()
watch = weakref.ref(held, lambda reference: (os.kill(os.getpid(), int(sys.argv[1])), time.sleep(0.1)))
try:
    if sys.argv[2] == "dropped":
        del held
    else:
        os.kill(os.getpid(), int(sys.argv[1]))
    time.sleep(60)
except KeyboardInterrupt:
    print("stopped")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("where", ["dropped", "plain"])
def test_a_signal_stops_also_where_python_drops_what_it_raises(number: signal.Signals, where: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(int(number)), where],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert (ended.stdout, ended.stderr, ended.returncode) == ("stopped\n", "", 0)


def test_other_dropped_errors_are_shown_as_ever() -> None:
    program = (
        "from blackbox.stop_signal import stop_at_sigterm; stop_at_sigterm()\nclass A:\n def __del__(self): 1 / 0\nA()"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=30)
    assert "ZeroDivisionError" in ended.stderr
