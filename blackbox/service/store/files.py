"""Files of task data, in chunks."""

from collections.abc import Iterable, Iterator

from blackbox.service.store.database import Database
from blackbox.service.store.rows import Page, StoredFile


class Files:
    """See the module."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self, owner: str, *, name: str, purpose: str, format: str, rows: int, content: Iterable[bytes]
    ) -> StoredFile:
        """Keep a file; `content` is its bytes in parts of any size, and is read within the write transaction."""
        raise NotImplementedError

    def get(self, file: str, *, owner: str | None) -> StoredFile:
        """A file; `owner` None asks for anybody's.

        Raises:
            MissingError: there is none, or it is another owner's.
        """
        raise NotImplementedError

    def content(self, file: str, *, owner: str | None) -> Iterator[bytes]:
        """The bytes of a file, in parts of up to a MiB; each part is read when it is asked for.

        Raises:
            MissingError: there is none, or it is another owner's; at the call, not at the first part.
        """
        raise NotImplementedError

    def list(self, *, owner: str | None, after: str | None = None, limit: int = 20) -> Page[StoredFile]:
        """Files, the newest first, behind the file `after`."""
        raise NotImplementedError

    def delete(self, file: str, *, owner: str | None) -> None:
        """Remove a file.

        Raises:
            MissingError: there is none, or it is another owner's.
            ConflictError: a job that has not ended needs it.
        """
        raise NotImplementedError

    def bytes_of(self, owner: str) -> int:
        """The size of all files of an owner together."""
        raise NotImplementedError
