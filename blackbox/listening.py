"""A socket that listens, for the servers of this package."""

import socket

from blackbox.errors import SettingError


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one. The caller closes it.

    Raises:
        SettingError: the address is taken, or none of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # named TCP: asyncio sends without delay (TCP_NODELAY) only where it can see that a socket is TCP's
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        raise SettingError(f"{url_of(host, port)} cannot be served: {error.strerror or error}") from error
    opened.set_inheritable(True)
    return opened


def url_of(host: str, port: int) -> str:
    """Of a server at an address."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
