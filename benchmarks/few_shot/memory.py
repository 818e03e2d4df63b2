"""Memory beyond what is held when the measuring begins: of this process (Linux only), or of the GPU if there is one."""

import ctypes
import gc
import re
from pathlib import Path

import torch

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_PEAK_ONLY = "5"  # of /proc/PID/clear_refs, see proc(5)


class PeakMemory:
    """Measures from when it is made; freed memory is given back to the system before.

    What tensors take on a GPU is counted instead of the process, since models run there.
    """

    def __init__(self) -> None:
        gc.collect()
        self._on_gpu = torch.cuda.is_available()
        if self._on_gpu:
            torch.cuda.reset_peak_memory_stats()
            self._before = torch.cuda.memory_allocated()
            return
        ctypes.CDLL(None).malloc_trim(0)
        CLEAR.write_text(_PEAK_ONLY)
        self._before = resident("VmRSS")

    @property
    def megabytes(self) -> float:
        """The most so far beyond the beginning, MB."""
        most = torch.cuda.max_memory_allocated() if self._on_gpu else resident("VmHWM")
        return (most - self._before) / 1e6


def resident(line: str) -> int:
    """Bytes in a line of the process's status: "VmRSS" now, "VmHWM" at most."""
    found = re.search(rf"^{line}:\s+(\d+) kB$", STATUS.read_text(), re.MULTILINE)
    if found is None:
        raise OSError(f"{STATUS} has no line {line}")
    return 1024 * int(found[1])
