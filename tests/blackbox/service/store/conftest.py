"""Stores on both databases."""

from collections.abc import Iterator

import pytest

from blackbox.service.store import Store, open_store


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A store without anything in it."""
    with open_store(database_url) as opened:
        yield opened
