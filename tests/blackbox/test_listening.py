"""Sockets of servers."""

import socket
from contextlib import closing

import pytest

from blackbox.errors import SettingError
from blackbox.listening import listening, url_of


def test_answers_are_sent_without_delay() -> None:
    """asyncio asks for that only where a socket names TCP, those that it accepts included."""
    with closing(listening("127.0.0.1", 0)) as at:
        at.listen()
        with socket.create_connection(at.getsockname()), closing(at.accept()[0]) as accepted:
            assert accepted.proto == socket.IPPROTO_TCP


def test_an_address_that_is_taken_is_one_line() -> None:
    with closing(listening("127.0.0.1", 0)) as at:
        at.listen()
        port = at.getsockname()[1]
        with pytest.raises(SettingError, match=f"http://127.0.0.1:{port} cannot be served: Address already in use"):
            listening("127.0.0.1", port)


def test_an_address_of_another_machine_is_one_line() -> None:
    with pytest.raises(SettingError, match="cannot be served: Cannot assign requested address"):
        listening("203.0.113.7", 0)


def test_an_address_of_the_sixth_version_stands_in_brackets() -> None:
    assert url_of("::1", 80) == "http://[::1]:80"
    assert url_of("127.0.0.1", 80) == "http://127.0.0.1:80"
