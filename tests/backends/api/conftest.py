from collections.abc import Iterator

import pytest

from tests.backends.api.llama_server import llama_server


@pytest.fixture(scope="session")
def llama() -> Iterator[str]:
    """The base URL of llama.cpp's server with SmolLM2."""
    with llama_server() as url:
        yield url
