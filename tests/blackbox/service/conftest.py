"""Databases of both kinds, each new and empty."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.blackbox.service.postgres import Postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server."""
    with Postgres() as server:
        yield server


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite database."""
    return f"sqlite:///{tmp_path / 'service.db'}"


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """A database of the PostgreSQL server."""
    return postgres.new_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A database of each kind: a test that asks for it runs on both."""
    name = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    return str(request.getfixturevalue(name))
