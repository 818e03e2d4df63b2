"""The most memory that this process has held since a moment (Linux; proc(5), VmHWM and clear_refs)."""

from contextlib import suppress
from pathlib import Path

_RESET = "5"


def reset_peak() -> None:
    """Count the peak from here, where the system can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text(_RESET)


def peak_mb() -> float | None:
    """Resident memory at its peak, MB; None where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM")), None)
