import sys

import pytest


@pytest.fixture
def without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Learning curves take most of a quick run's time; where matplotlib is not installed there are none."""
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
