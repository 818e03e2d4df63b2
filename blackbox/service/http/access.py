"""Who asks: bearer tokens and their roles. What is another owner's is not there (404), whatever the role."""

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from blackbox.service.http.errors import FORBIDDEN, UNAUTHENTICATED, RefusalError
from blackbox.service.store import LOCAL_OWNER, Role, Store, Token

_RANKS: dict[Role, int] = {"read": 0, "submit": 1, "admin": 2}
_REMEMBERED = 1.0  # s that an answer of the store is good for: a revoked token is refused after that at the latest
_MOST = 1000
_LONGEST = 512  # characters of a secret

_bearer = HTTPBearer(auto_error=False, description="A token of `blackbox tokens create`.")


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Attributes:
        owner: of what the caller hands in.
        role: what it may do.
    """

    owner: str
    role: Role

    @property
    def sees(self) -> str | None:
        """Whose things it sees; None: everybody's."""
        return None if self.role == "admin" else self.owner


class Authority:
    """Tells callers from their tokens.

    Args:
        open_without_tokens: whether everybody may do everything as long as no token was ever made; only for a service
            that is reached from its own machine alone.
    """

    def __init__(self, store: Store, *, open_without_tokens: bool) -> None:
        self._store, self._open = store, open_without_tokens
        self._known: OrderedDict[bytes, tuple[float, Token | None]] = OrderedDict()
        self._any: tuple[float, bool] = (0.0, False)

    async def caller(self, secret: str | None) -> Caller:
        """Who holds a secret.

        Raises:
            RefusalError: nobody does (401).
        """
        if secret is None and self._open and not await self._has_tokens():
            return Caller(LOCAL_OWNER, "admin")
        token = await self._token(secret) if secret and len(secret) <= _LONGEST and secret.isascii() else None
        if token is None:
            text = "this token is not known or was revoked" if secret else "send a token: Authorization: Bearer ..."
            raise RefusalError(UNAUTHENTICATED, text, headers={"www-authenticate": "Bearer"})
        return Caller(token.owner, token.role)

    async def _token(self, secret: str) -> Token | None:
        key, now = hashlib.sha256(secret.encode()).digest(), time.monotonic()
        read, token = self._known.get(key, (-_REMEMBERED, None))
        if now - read < _REMEMBERED:
            return token
        token = await run_in_threadpool(self._store.tokens.find, secret)
        self._known[key] = (now, token)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        return token

    async def _has_tokens(self) -> bool:
        read, has = self._any
        if not has and time.monotonic() - read >= _REMEMBERED:  # once there was one, there was one
            has = await run_in_threadpool(self._store.tokens.any)
            self._any = (time.monotonic(), has)
        return has


async def _caller(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Caller:
    authority: Authority = request.app.state.parts.authority
    return await authority.caller(given.credentials if given else None)


def _at_least(role: Role) -> object:
    async def check(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
        if _RANKS[caller.role] < _RANKS[role]:
            raise RefusalError(FORBIDDEN, f"that needs a token of role {role}; this one's is {caller.role}")
        return caller

    return Depends(check)


Reader = Annotated[Caller, _at_least("read")]
Submitter = Annotated[Caller, _at_least("submit")]
Admin = Annotated[Caller, _at_least("admin")]
