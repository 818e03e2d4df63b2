import pytest

from tests.blackbox.sweeps.asking import KEY


@pytest.fixture
def with_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Endpoints are on the loopback, whatever the environment says, and take this key."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
