"""One request over a connection that is kept, with a limit to its whole time and to the size of what comes back.

This is urllib3, on which `requests` stands: `Session.post` prepares, merges and copies anew for each call and takes
more than 1 ms of CPU time with 64 threads, where urllib3 takes 0.6 ms. Proxies and CA bundles are those that `requests`
would take from the environment; it would read a .netrc over the key as well, which this does not.
"""

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_auth_from_url, get_environ_proxies, select_proxy
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProxyError, TimeoutError

from blackbox.backends.api.connection import Plain, Secure
from blackbox.backends.api.endpoint import Endpoint

MOST_BYTES = 8 * 1024 * 1024
"""An answer is not longer than this."""

CONNECT_SECONDS = 10.0
"""A connection that takes longer does not come about."""

_ONCE = urllib3.Retry(total=False, redirect=False)


@dataclass(frozen=True)
class Reply:
    """What came back, whatever its status.

    Attributes:
        status: of HTTP.
        headers: do not tell capitals from small letters.
        body: without transfer and content encodings.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Lost:
    """Nothing whole came back.

    Attributes:
        why: in words.
        sent: whether the endpoint may have got the request.
        timed_out: whether its time was over.
        lasting: whether it will be so for ever.
    """

    why: str
    sent: bool
    timed_out: bool = False
    lasting: bool = False


class Wire:
    """A pool of connections to one endpoint. Safe for threads. Follows no redirect and repeats nothing."""

    def __init__(self, endpoint: Endpoint, *, connections: int, most_bytes: int = MOST_BYTES) -> None:
        """A pool that keeps so many connections; an answer may have so many bytes."""
        proxy = select_proxy(endpoint.origin, get_environ_proxies(endpoint.origin))
        options: dict[str, Any] = {"maxsize": connections, "retries": False}
        if endpoint.scheme == "https":
            bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or DEFAULT_CA_BUNDLE_PATH
            folder = Path(bundle).is_dir()
            options["ssl_context"] = ssl.create_default_context(
                cafile=None if folder else bundle, capath=bundle if folder else None
            )
        if proxy:
            login = ":".join(get_auth_from_url(proxy)).strip(":")
            headers = urllib3.make_headers(proxy_basic_auth=login) if login else None
            self._manager: urllib3.PoolManager = urllib3.ProxyManager(proxy, proxy_headers=headers, **options)
        else:
            self._manager = urllib3.PoolManager(**options)
        self._pool = self._manager.connection_from_url(endpoint.origin)
        base = Secure if endpoint.scheme == "https" else Plain
        query = {"query": f"?{endpoint.query}" if endpoint.query else ""}
        self._pool.ConnectionCls = type(base.__name__, (base,), query)
        self._endpoint, self._most_bytes = endpoint, most_bytes
        self._ahead = endpoint.origin if proxy and endpoint.scheme == "http" else ""

    def post(self, path: str, body: bytes, *, seconds: float) -> Reply | Lost:
        """Send a body and read what comes back.

        Args:
            path: behind the base URL.
            body: sent as it is.
            seconds: for all of it, the connection included; only a name server may take longer.
        """
        return self._exchange("POST", path, body, seconds)

    def get(self, path: str, *, seconds: float) -> Reply | Lost:
        """Read what is there; all else as of `post`."""
        return self._exchange("GET", path, None, seconds)

    def _exchange(self, method: str, path: str, body: bytes | None, seconds: float) -> Reply | Lost:
        limit = urllib3.Timeout(connect=min(CONNECT_SECONDS, seconds), total=seconds)
        try:
            response = self._pool.urlopen(
                method,
                self._ahead + self._endpoint.target(path),
                body=body,
                headers=self._endpoint.headers,
                retries=_ONCE,
                redirect=False,
                assert_same_host=False,  # a proxy is another host, and the path is ours
                timeout=limit,
                preload_content=False,
            )
            content = response.read(self._most_bytes + 1)
            if len(content) > self._most_bytes:
                response.close()
                return Lost(f"more than {self._most_bytes} bytes came back", sent=True)
            response.release_conn()
        except HTTPError as error:
            return _lost(error, seconds)
        return Reply(response.status, response.headers, content)

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._pool.close()
        self._manager.clear()


def _lost(error: HTTPError, seconds: float) -> Lost:
    """What an error of urllib3 says. Its own text names objects and addresses in memory; it is not shown."""
    if isinstance(error, NewConnectionError | ProxyError):
        return Lost(f"no connection: {_reason(error)}", sent=False)
    if isinstance(error, ConnectTimeoutError):  # in some versions the class above is one of these
        return Lost("no connection in time", sent=False)
    if isinstance(error, TimeoutError):
        return Lost(f"no whole answer in {seconds:.3g} s", sent=True, timed_out=True)
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Lost("the endpoint's certificate is not valid here", sent=False, lasting=True)
    return Lost(f"the connection broke: {_reason(error)}", sent=True)


def _reason(error: BaseException) -> str:
    """The words of the system's error below, else the name of the error's class."""
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, OSError) and below.strerror:
            return below.strerror
        below = below.__cause__ or below.__context__
    return type(error).__name__
