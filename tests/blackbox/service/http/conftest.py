"""Services that tests share."""

from collections.abc import Iterator

import pytest

from tests.blackbox.service.http.running import Running, running


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One without tokens."""
    with running(tmp_path_factory.mktemp("service")) as found:
        yield found


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One with tokens."""
    with running(tmp_path_factory.mktemp("guarded"), with_token=True) as found:
        yield found
