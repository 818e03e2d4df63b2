from collections.abc import Iterator

import pytest

from benchmarks.llama_server import llama_server


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoints of these tests are on the loopback, whatever the environment says."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture(scope="session")
def llama() -> Iterator[str]:
    """The base URL of llama.cpp's server with SmolLM2."""
    pytest.importorskip("xllamacpp", reason="needs llama.cpp's server: pip install xllamacpp")
    with llama_server() as url:
        yield url
