from collections.abc import Iterator

import pytest

from blackbox.backends import FakeBackend
from tests.backends.api.conftest import no_proxy
from tests.backends.local.conftest import Load, load, loaded, saved_model
from tests.backends.remote.serving import serving

__all__ = ["fake_url", "llama_url", "load", "loaded", "no_proxy", "saved_model"]


@pytest.fixture(scope="session")
def fake_url() -> Iterator[str]:
    """A server of the fake backend."""
    with serving(FakeBackend()) as url:
        yield url


@pytest.fixture(scope="session")
def llama_url(load: Load) -> Iterator[str]:
    """A server of a small random Llama."""
    with serving(load("llama")) as url:
        yield url
