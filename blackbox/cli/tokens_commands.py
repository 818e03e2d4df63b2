"""`blackbox tokens create | list | revoke`: who may use a service."""

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from blackbox.cli.console import err, out
from blackbox.cli.serve_commands import DatabaseOption, FolderOption, database_url, open_service_store
from blackbox.cli.service_packages import needs_service

tokens = typer.Typer(help="Tokens of a service: create, list, revoke.", no_args_is_help=True)


class RoleName(StrEnum):
    """What a token may do; the later ones all that the earlier ones may."""

    READ = "read"
    SUBMIT = "submit"
    ADMIN = "admin"


@tokens.command()
def create(
    name: Annotated[str, typer.Argument(help="For people: who will use it.", show_default=False)],
    *,
    role: Annotated[
        RoleName, typer.Option(help="read: look; submit: hand in jobs, too; admin: see and end everybody's.")
    ] = RoleName.SUBMIT,
    shares: Annotated[
        str | None, typer.Option(help="Id of a token whose jobs and files it sees.", show_default=False)
    ] = None,
    max_jobs: Annotated[int | None, typer.Option(min=1, help="Jobs at once.", show_default=False)] = None,
    max_evaluations: Annotated[int | None, typer.Option(min=1, help="Of all its jobs.", show_default=False)] = None,
    max_usd: Annotated[float | None, typer.Option(min=0, help="Of all its jobs.", show_default=False)] = None,
    folder: FolderOption = Path("service"),
    database: DatabaseOption = None,
) -> None:
    """Make a token; from the first one on everybody needs one. Its secret goes to stdout, once, and is not stored."""
    needs_service("tokens")
    from blackbox.service.store import Quotas

    with open_service_store(database_url(database, folder)) as store:
        quotas = Quotas(jobs=max_jobs, evaluations=max_evaluations, usd=max_usd)
        owner = store.tokens.get(shares).owner if shares else None
        token, secret = store.tokens.create(name, role.value, quotas=quotas, owner=owner)
    err.print(f"{token.id} ({token.role}); keep its secret, it is not shown again:", markup=False, highlight=False)
    sys.stdout.write(secret + "\n")


@tokens.command(name="list")
def list_tokens(*, folder: FolderOption = Path("service"), database: DatabaseOption = None) -> None:
    """Print all tokens, without their secrets."""
    needs_service("tokens")
    table = Table("id", "name", "role", "created", "revoked", "evaluations", "USD")
    with open_service_store(database_url(database, folder)) as store:
        for token in store.tokens.list():
            table.add_row(
                token.id,
                Text(token.name),
                token.role,
                _day(token.created_at),
                _day(token.revoked_at),
                _of(token.used_evaluations, token.quotas.evaluations),
                _of(round(token.used_usd, 4), token.quotas.usd),
            )
    out.print(table)


@tokens.command()
def revoke(
    token: Annotated[str, typer.Argument(help="Its id, as of `blackbox tokens list`.", show_default=False)],
    *,
    folder: FolderOption = Path("service"),
    database: DatabaseOption = None,
) -> None:
    """Make a token useless at once. Its jobs go on."""
    needs_service("tokens")
    with open_service_store(database_url(database, folder)) as store:
        store.tokens.revoke(token)
    err.print(f"{token} is revoked", markup=False, highlight=False)


def _day(seconds: float | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def _of(used: float, most: float | None) -> str:
    return f"{used:,}" if most is None else f"{used:,} of {most:,}"
