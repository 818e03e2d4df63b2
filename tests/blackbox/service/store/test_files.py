"""Files of task data, on SQLite and on PostgreSQL."""

import hashlib
import os

import pytest

from blackbox.service.errors import ConflictError, MissingError
from blackbox.service.store import Store, StoredFile
from tests.blackbox.service.store.making import new_job


def keep(store: Store, owner: str = "a", content: bytes = b"x", name: str = "rows.csv") -> StoredFile:
    return store.files.create(owner, name=name, purpose="tuning", format="csv", rows=1, content=[content])


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5_000_000])
def test_a_file_comes_back_as_it_was(store: Store, size: int) -> None:
    content = os.urandom(size)
    parts = [content[start : start + 700_001] for start in range(0, size, 700_001)]
    file = store.files.create("a", name="rows.jsonl", purpose="tuning", format="jsonl", rows=3, content=parts)
    assert (file.size, file.rows, file.sha256) == (size, 3, hashlib.sha256(content).hexdigest())
    assert b"".join(store.files.content(file.id, owner="a")) == content
    assert store.files.get(file.id, owner="a") == file


def test_no_part_is_larger_than_a_mebibyte(store: Store) -> None:
    file = keep(store, content=b"x" * 3_000_000)
    assert [len(part) for part in store.files.content(file.id, owner=None)] == [1 << 20, 1 << 20, 3_000_000 - (2 << 20)]


def test_a_file_whose_content_breaks_off_is_not_kept(store: Store) -> None:
    def content() -> object:
        yield b"x" * 2_000_000
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.files.create("a", name="f", purpose="tuning", format="csv", rows=1, content=content())  # type: ignore[arg-type]
    assert store.files.list(owner=None).rows == ()
    assert store.files.bytes_of("a") == 0


def test_another_owners_file_is_as_good_as_none(store: Store) -> None:
    file = keep(store).id
    for call in (store.files.get, store.files.content, store.files.delete):
        with pytest.raises(MissingError, match="there is no file"):
            call(file, owner="b")
    assert store.files.list(owner="b").rows == ()
    assert store.files.get(file, owner=None).owner == "a"


def test_names_may_have_any_characters(store: Store) -> None:
    assert keep(store, name="../é\x00\ud800.csv").name == "../é\ufffd?.csv"


def test_pages_hold_each_file_once_the_newest_first(store: Store) -> None:
    made = [keep(store).id for _ in range(5)]
    first = store.files.list(owner="a", limit=3)
    second = store.files.list(owner="a", limit=3, after=first.rows[-1].id)
    assert [file.id for file in (*first.rows, *second.rows)] == made[::-1]
    assert (first.has_more, second.has_more) == (True, False)


def test_the_size_of_an_owners_files_is_known(store: Store) -> None:
    for owner, size in (("a", 3), ("a", 4), ("b", 5)):
        keep(store, owner, b"x" * size)
    assert store.files.bytes_of("a") == 7


def test_a_file_is_deleted_when_no_job_needs_it_any_more(store: Store) -> None:
    file = keep(store, "local")
    job = new_job(store, files=[file.id])
    with pytest.raises(ConflictError, match=job.id):
        store.files.delete(file.id, owner="local")
    store.jobs.cancel(job.id, owner=None)
    store.files.delete(file.id, owner="local")
    with pytest.raises(MissingError):
        store.files.get(file.id, owner=None)
    assert store.files.bytes_of("local") == 0
