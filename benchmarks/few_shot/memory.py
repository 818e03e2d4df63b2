"""Memory of this process beyond what it holds when the measuring begins; Linux only."""

import ctypes
import gc
import re
from pathlib import Path

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_PEAK_ONLY = "5"  # of /proc/PID/clear_refs, see proc(5)


class PeakMemory:
    """Measures from when it is made; freed memory is given back to the system before.

    On a GPU the memory that matters is the device's: see `torch.cuda.max_memory_allocated`.
    """

    def __init__(self) -> None:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        CLEAR.write_text(_PEAK_ONLY)
        self._before = resident("VmRSS")

    @property
    def megabytes(self) -> float:
        """The most so far beyond the beginning, MB."""
        return (resident("VmHWM") - self._before) / 1e6


def resident(line: str) -> int:
    """Bytes in a line of the process's status: "VmRSS" now, "VmHWM" at most."""
    found = re.search(rf"^{line}:\s+(\d+) kB$", STATUS.read_text(), re.MULTILINE)
    if found is None:
        raise OSError(f"{STATUS} has no line {line}")
    return 1024 * int(found[1])
