"""Where calls go: a checked base URL and headers, and texts from which every key is taken out."""

from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from urllib3.util import make_headers

from blackbox.backends.errors import BackendSettingError

SAID = 300
"""So many characters of what an endpoint says are shown."""

_OUR_HEADERS = {"Content-Type": "application/json", "User-Agent": "blackbox-prompts"}

_OPEN = {"accept", "anthropic-beta", "anthropic-version", "content-type", "user-agent"}
"""Headers that hold no secret; all others do."""

_SHORTEST = 4
"""A secret of fewer characters hides nothing."""


class Endpoint:
    """An endpoint. Its text holds neither user nor password nor query."""

    def __init__(self, base_url: str, headers: Mapping[str, str]) -> None:
        """Check the base URL and the headers.

        Args:
            base_url: http or https, with the path in front of each call's. A query in it ("?api-version=...") goes to
                each call; a user and password become an Authorization header, unless `headers` has one.
            headers: go to each call; values are secret.

        Raises:
            BackendSettingError: another scheme, no host, or a header that HTTP cannot carry. Texts hold no secret.
        """
        parts = _split(base_url)
        self.scheme, self.origin = parts.scheme, f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self.query = parts.query
        self._prefix = parts.path.rstrip("/")
        given = {name.lower() for name in headers}
        self.headers = {name: value for name, value in _OUR_HEADERS.items() if name.lower() not in given}
        self.headers.update(_checked(headers))
        login = unquote(f"{parts.username or ''}:{parts.password or ''}") if "@" in parts.netloc else ""
        if login and "authorization" not in given:
            self.headers.update({"Authorization": make_headers(basic_auth=login)["authorization"]})
        self._secrets = sorted(set(_secrets(self.headers, parts)), key=len, reverse=True)

    def target(self, path: str) -> str:
        """The path of a call on the host, without the query."""
        return f"{self._prefix}/{path.lstrip('/')}"

    def hide(self, text: str) -> str:
        """The text with stars in the place of all that is secret, cut to what is shown."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        text = " ".join(text.split())
        return text if len(text) <= SAID else text[:SAID] + "..."

    def __str__(self) -> str:
        return self.origin + self._prefix

    def __repr__(self) -> str:
        return f"Endpoint({str(self)!r})"


def _split(base_url: str) -> SplitResult:
    needed = "base_url must be http://host/path or https://host/path"
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError:  # its text may hold a password
        raise BackendSettingError(f"{needed}; the host or the port given is none") from None
    if parts.scheme not in ("http", "https"):
        raise BackendSettingError(f"{needed}, got the scheme {parts.scheme!r}")
    if not host:
        raise BackendSettingError(f"{needed}, got no host")
    if not all("!" <= char <= "~" for char in parts.netloc + parts.path + parts.query):
        raise BackendSettingError(f"{needed} without blanks and letters beyond ASCII; write those as %20 and the like")
    return parts


def _checked(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers, if HTTP can carry them. The library below would show the value in its error."""
    for name, value in headers.items():
        if not name or not all("!" <= char <= "~" and char != ":" for char in name):
            raise BackendSettingError("a header's name must be ASCII without blanks and colons")
        if not all(" " <= char <= "~" for char in value) or value != value.strip():
            raise BackendSettingError(
                f"the value of the header {name!r} has blanks at an end, a line break or letters beyond ASCII; "
                "is the key's environment variable set as it should be?"
            )
    return dict(headers)


def _secrets(headers: Mapping[str, str], parts: SplitResult) -> list[str]:
    """All texts that must not be shown: header values, their last words, a password, a query and its values."""
    values = [value for name, value in headers.items() if name.lower() not in _OPEN]
    words = [value.split()[-1] for value in values if value.split()]
    values_of_query = [pair.partition("=")[2] for pair in parts.query.split("&")]
    found = [*values, *words, parts.password or "", parts.query, *values_of_query]
    return [text for part in found for text in (part, unquote(part)) if len(text) >= _SHORTEST]
