import threading
from pathlib import Path

import pytest

from benchmarks.faulty import FaultyServer, Plan
from blackbox.backends.api import Account, Gates, Limits
from blackbox.backends.errors import QuotaError, SpentError
from blackbox.config import make_config
from blackbox.endpoints import openai_backend
from blackbox.shared_endpoints import SharedEndpoints, present


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def make(server: FaultyServer, folder: Path, name: str) -> None:
    config = {"backend": "openai", "model": name, "base_url": server.base_url}
    openai_backend(make_config({**config, "answers": str(folder / f"{name}.sqlite")}))


def test_it_is_there_inside_and_in_this_thread_alone() -> None:
    shared, elsewhere = SharedEndpoints(Gates(), Account(Limits())), []
    assert present() is None
    with shared.share():
        assert present() is shared
        thread = threading.Thread(target=lambda: elsewhere.append(present()))
        thread.start()
        thread.join()
    assert present() is None
    assert elsewhere == [None]


def test_backends_that_are_made_inside_have_one_account(tmp_path: Path) -> None:
    account = Account(Limits(requests=3), whose="the sweep")
    with FaultyServer() as server, SharedEndpoints(Gates(), account).share():
        make(server, tmp_path, "one")
        probe = server.counts.requests
        assert account.spent.requests == probe
        with pytest.raises(SpentError, match="the limit of 3 requests of the sweep"):
            for name in ("two", "three", "four"):
                make(server, tmp_path, name)
        assert server.counts.requests == account.spent.requests == 3


def test_backends_that_are_made_inside_have_one_gate_and_others_their_own(tmp_path: Path) -> None:
    with FaultyServer(Plan.of(then="insufficient_quota")) as server:
        with SharedEndpoints(Gates(), Account(Limits())).share():
            for name in ("one", "two"):
                with pytest.raises(QuotaError):
                    make(server, tmp_path, name)
        assert server.counts.requests == 1
        with pytest.raises(QuotaError):
            make(server, tmp_path, "three")
        assert server.counts.requests == 2
