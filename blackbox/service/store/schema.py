"""Brings the tables of a database up to date, by one process at a time."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from blackbox.service.errors import SchemaError
from blackbox.service.store.database import Database, make_engine, unusable


def open_database(url: str) -> Database:
    """The database of a URL, its tables brought up to date.

    Raises:
        DatabaseError: the URL is wrong, or the database does not answer.
        SchemaError: a newer version of blackbox made it.
    """
    database = Database(make_engine(url))
    try:
        _bring_up_to_date(database)
        return database
    except sa.exc.ProgrammingError as error:  # no right to make tables, or tables of another program
        database.close()
        raise unusable(database.address, error) from error
    except BaseException:
        database.close()
        raise


def _bring_up_to_date(database: Database) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    with database.read() as connection:
        if _current(connection) == scripts.get_current_head():
            return
    with database.write() as connection:
        database.lock(connection, "schema")
        current = _current(connection)
        if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
            raise SchemaError(
                f"database {database.address} was made by a newer version of blackbox (schema {current}); "
                "upgrade blackbox-prompts"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _current(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
