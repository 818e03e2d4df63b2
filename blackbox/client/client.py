"""The client: jobs and files of one service."""

import os
from pathlib import Path
from types import TracebackType
from typing import Any

from blackbox.client.connection import Connection
from blackbox.client.errors import ClientError
from blackbox.client.jobs import Jobs
from blackbox.client.values import File, Page, made, page

URL, URL_VARIABLE, TOKEN_VARIABLE = "http://127.0.0.1:8000", "BLACKBOX_URL", "BLACKBOX_TOKEN"


class Files:
    """Files of rows in the service."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def upload(self, path: str | Path) -> File:
        """Hand in a .csv or .jsonl file of rows.

        Raises:
            ClientError: it cannot be read here.
            RefusedByServiceError: a line is no row, or it is too large.
        """
        path = Path(path).expanduser()
        try:
            with path.open("rb") as file:
                return made(File, self._connection.call("POST", "/v1/files", files={"file": (path.name, file)}))
        except OSError as error:
            raise ClientError(f"{path}: {error.strerror or error}") from error

    def list(self, *, after: str | None = None, limit: int = 20) -> Page[File]:
        """Files, the newest first, behind the file `after`."""
        return page(File, self._connection.call("GET", "/v1/files", params={"after": after, "limit": limit}))

    def get(self, file: str) -> File:
        """What is known of a file."""
        return made(File, self._connection.call("GET", f"/v1/files/{file}"))

    def content(self, file: str) -> bytes:
        """The file itself."""
        return bytes(self._connection.answer("GET", f"/v1/files/{file}/content").content)

    def delete(self, file: str) -> None:
        """Remove a file that no job needs any more."""
        self._connection.call("DELETE", f"/v1/files/{file}")


class Client:
    """A client of a tuning service.

    Args:
        url: of the service; default: $BLACKBOX_URL, else this machine.
        token: default: $BLACKBOX_TOKEN, if it is set.
        timeout: seconds without a byte after which a call has failed.
        retries: of calls that can be repeated without harm.

    Attributes:
        jobs, files: what there is.

    Every call may raise `RefusedByServiceError` and `UnreachableError`.
    """

    def __init__(
        self, url: str | None = None, *, token: str | None = None, timeout: float = 60.0, retries: int = 4
    ) -> None:
        address = url or os.environ.get(URL_VARIABLE) or URL
        self._connection = Connection(
            address, token=token or os.environ.get(TOKEN_VARIABLE), timeout=timeout, retries=retries
        )
        self.jobs = Jobs(self._connection)
        self.files = Files(self._connection)

    @property
    def url(self) -> str:
        """Of the service."""
        return self._connection.url

    def backends(self) -> list[dict[str, Any]]:
        """The models that a job can ask for."""
        return list(self._connection.call("GET", "/v1/backends")["data"])

    def close(self) -> None:
        """Let go of the connections."""
        self._connection.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
