"""The tables of a database: made, brought up to date, refused."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from blackbox.service.errors import DatabaseError, SchemaError
from blackbox.service.store import Store, open_store
from blackbox.service.store.database import make_engine
from blackbox.service.store.tables import metadata


def test_the_migrations_make_the_tables_that_the_code_has(store: Store, database_url: str) -> None:
    engine = make_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_a_database_is_opened_by_many_at_once(database_url: str) -> None:
    def open_it(number: int) -> int:
        with open_store(database_url) as store:
            return len(store.tokens.list())

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(open_it, range(6))) == [0] * 6


def test_a_database_of_a_newer_version_is_refused_in_one_line(store: Store, database_url: str) -> None:
    engine = make_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(SchemaError, match=r"^database \S+ was made by a newer version of blackbox \(schema 9999\)"):
        open_store(database_url)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "a database is named by a URL"),
        ("", "a database is named by a URL"),
        ("mysql://u:secret@host/db", "begins with 'mysql'"),
        ("sqlite://", "must be a file"),
        ("sqlite:///:memory:", "must be a file"),
        ("sqlite:////nowhere/at/all/service.db", "No such file or directory"),
        ("postgresql://u:secret@127.0.0.1:9/db?password=secret", "127.0.0.1"),
        ("postgresql+psycopg2://u:secret@127.0.0.1/db", "begins with 'postgresql+psycopg2'"),
    ],
)
def test_a_database_that_cannot_be_is_refused_in_one_line_without_its_password(url: str, told: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        open_store(url)
    text = str(caught.value)
    assert told in text
    assert "secret" not in text
    assert "\n" not in text


def test_a_file_that_is_no_database_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are notes, not a database\n" * 100)
    with pytest.raises(DatabaseError, match="is not a database"):
        open_store(f"sqlite:///{path}")


def test_the_address_for_people_has_no_password(database_url: str, tmp_path: Path) -> None:
    with open_store(database_url) as store:
        assert store.address == database_url.partition("?")[0]
        store.ping()


def test_a_sqlite_database_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "service.db"
    with open_store(f"sqlite:///{path}") as store:
        store.tokens.create("ci", "read")
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    assert set(modes.values()) == {0o600}, modes
