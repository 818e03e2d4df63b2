"""Bearer tokens. Only the SHA-256 of a secret is stored: it has 256 random bits, which no dictionary has."""

from blackbox.service.store.database import Database
from blackbox.service.store.rows import Quotas, Role, Token

NO_QUOTAS = Quotas()


class Tokens:
    """See the module."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, role: Role, *, quotas: Quotas = NO_QUOTAS) -> tuple[Token, str]:
        """A new token, and its secret, which cannot be read again."""
        raise NotImplementedError

    def find(self, secret: str) -> Token | None:
        """The token of a secret; None where there is none or it is revoked."""
        raise NotImplementedError

    def any(self) -> bool:
        """Whether there is a token that is not revoked: without one the service is open to its own machine only."""
        raise NotImplementedError

    def list(self) -> tuple[Token, ...]:
        """All tokens, the oldest first."""
        raise NotImplementedError

    def get(self, token: str) -> Token:
        """A token by its id.

        Raises:
            MissingError: there is none.
        """
        raise NotImplementedError

    def revoke(self, token: str) -> Token:
        """Make a token useless, by its id; its jobs go on. Again, it changes nothing.

        Raises:
            MissingError: there is none.
        """
        raise NotImplementedError
