"""Who may ask: whoever has the token, or, where there is none, whoever is on this machine."""

import hmac
from ipaddress import ip_address

from blackbox.backends.remote.refusals import Refused
from blackbox.errors import SettingError

_LOCAL_NAMES = ("localhost",)


class Access:
    """See the module.

    Args:
        token: that calls must bring; None lets everybody in who comes over the loopback.
    """

    def __init__(self, token: str | None) -> None:
        self._expected = None if token is None else f"Bearer {token}".encode()

    @property
    def needs_token(self) -> bool:
        """Whether there is one."""
        return self._expected is not None

    def refusal(self, authorization: str | None, host: str | None) -> Refused | None:
        """Why a call with these headers is refused; None where it is not.

        Without a token the Host header must name this machine: a page in a browser here can have a name of its own
        point to the loopback, and would be let in.
        """
        if self._expected is None:
            if is_loopback(_name(host or "")):
                return None
            return Refused(421, "host", "without a token this server is for this machine, as localhost or 127.0.0.1")
        given = (authorization or "").encode("utf-8", "replace")
        if hmac.compare_digest(given, self._expected):
            return None
        said = "another one was given" if authorization else "none was given"
        return Refused(401, "authentication", f"the server's token is needed (Authorization: Bearer ...), {said}")


def is_loopback(host: str) -> bool:
    """Whether a name or an address is of this machine alone."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() in _LOCAL_NAMES


def check_host(host: str, *, token: str | None) -> None:
    """Refuse to be reached from elsewhere without a token.

    Raises:
        SettingError: the host is not of the loopback, and there is no token.
    """
    if token is None and not is_loopback(host):
        raise SettingError(
            f"host {host!r} can be reached from other machines, which needs a token: set an environment variable and "
            "name it with --token-variable, or use 127.0.0.1"
        )


def _name(host: str) -> str:
    """The name in a Host header, without the port."""
    if host.startswith("["):
        return host.partition("]")[0].strip("[")
    return host.rpartition(":")[0] or host if host.count(":") == 1 else host
