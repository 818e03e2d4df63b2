"""Bearer tokens. Only the SHA-256 of a secret is stored: it has 256 random bits, which no dictionary has."""

import hashlib
import secrets

import sqlalchemy as sa

from blackbox.service.errors import MissingError, QuotaError
from blackbox.service.store import tables
from blackbox.service.store.columns import Now, storable
from blackbox.service.store.database import Database
from blackbox.service.store.ids import new_id
from blackbox.service.store.rows import Quotas, Role, Token

PREFIX = "bb-"
"""What secrets begin with, so that scanners for leaked ones know them."""

NO_QUOTAS = Quotas()

_T = tables.tokens.c
_SHOWN = [column for column in tables.tokens.c if column.name != "secret_sha256"]


class Tokens:
    """See the module."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self, name: str, role: Role, *, quotas: Quotas = NO_QUOTAS, owner: str | None = None
    ) -> tuple[Token, str]:
        """A new token, and its secret, which cannot be read again; `owner` None: it is its own."""
        token, secret = new_id("token"), PREFIX + secrets.token_urlsafe(32)
        values = {
            "id": token,
            "owner": owner or token,
            "name": storable(name),
            "secret_sha256": _sha256(secret),
            "role": role,
            "quota_jobs": quotas.jobs,
            "quota_evaluations": quotas.evaluations,
            "quota_usd": quotas.usd,
            "created_at": Now(),
        }
        with self._database.write() as connection:
            connection.execute(tables.tokens.insert().values(values))
        return self.get(token), secret

    def find(self, secret: str) -> Token | None:
        """The token of a secret; None where there is none or it is revoked."""
        good = sa.select(*_SHOWN).where(_T.secret_sha256 == _sha256(secret), _T.revoked_at.is_(None))
        with self._database.read() as connection:
            row = connection.execute(good).one_or_none()
        return None if row is None else _token(row)

    def any(self) -> bool:
        """Whether there has ever been a token: a service whose last one is revoked is closed, not open to all."""
        with self._database.read() as connection:
            return connection.execute(sa.select(_T.id).limit(1)).first() is not None

    def list(self) -> tuple[Token, ...]:
        """All tokens, the oldest first."""
        with self._database.read() as connection:
            return tuple(_token(row) for row in connection.execute(sa.select(*_SHOWN).order_by(_T.id)))

    def get(self, token: str) -> Token:
        """A token by its id.

        Raises:
            MissingError: there is none.
        """
        with self._database.read() as connection:
            row = connection.execute(sa.select(*_SHOWN).where(_T.id == storable(token))).one_or_none()
        if row is None:
            raise MissingError(f"there is no token {token!r}")
        return _token(row)

    def revoke(self, token: str) -> Token:
        """Make a token useless, by its id; its jobs go on. Again, it changes nothing.

        Raises:
            MissingError: there is none.
        """
        good = (_T.id == storable(token), _T.revoked_at.is_(None))
        with self._database.write() as connection:
            connection.execute(tables.tokens.update().where(*good).values(revoked_at=Now()))
        return self.get(token)

    def charge(self, owner: str, *, usd: float, evaluations: int = 0) -> None:
        """Count what an owner uses outside of jobs, where it is a token; 0 asks only whether there is anything left.

        Raises:
            QuotaError: the quota of either was used up before; nothing is counted.
        """
        with self._database.write() as connection:
            row = connection.execute(sa.select(tables.tokens).where(_T.id == owner).with_for_update()).one_or_none()
            if row is None:
                return
            for name in ("evaluations", "usd"):
                quota, used = getattr(row, f"quota_{name}"), getattr(row, f"used_{name}")
                if quota is not None and used >= quota:
                    raise QuotaError(f"quota {name!r}: {used:g} of {quota:g} are used")
            told = {"used_usd": row.used_usd + usd, "used_evaluations": row.used_evaluations + evaluations}
            connection.execute(tables.tokens.update().where(_T.id == owner).values(told))


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _token(row: sa.Row[tuple[object, ...]]) -> Token:
    values = row._asdict()
    quotas = {name: values.pop(f"quota_{name}") for name in ("jobs", "evaluations", "usd")}
    return Token(quotas=Quotas(**quotas), **values)
