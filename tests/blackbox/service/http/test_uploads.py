"""Files of rows: what is taken, and what is refused with the line that is wrong."""

import io
import zipfile

import pytest

from blackbox.errors import DataError
from blackbox.service.http.errors import RefusalError
from blackbox.service.http.limits import Limits
from blackbox.service.http.uploads import check_rows, clean_name
from tests.blackbox.service.http.running import ROWS, Running

SMALL = Limits(rows=3, field=20, fields=2)


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.csv", "text,label\n" + "x" * 1_000_000)
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("a.csv", 'text,label\n"two\nlines",1\r\nx,0\n', 2),
        ("a.csv", "\ufefftext,label\nä,1\n", 1),
        ("A.JSONL", '{"text": "a"}\n\n{"text": ["b", "c"]}', 2),
    ],
)
def test_rows_are_counted(name: str, content: str, rows: int) -> None:
    found = check_rows(io.BytesIO(content.encode()), name=name, limits=Limits())
    assert (found.rows, found.fields[0]) == (rows, "text")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b'{"text": "a"}\n{', "line 2: is no JSON"),
        ("a.jsonl", b'{"text": "a"}\n[1]\n', "line 2: must be a JSON object"),
        ("a.jsonl", b'{"text": "\xff"}\n', "line 1: is not UTF-8"),
        ("a.jsonl", b"\n\n", "holds no rows"),
        ("a.jsonl", b"{}\n", "line 1: has no fields"),
        ("a.jsonl", b'{"a": "b"}\n' * 4, "line 4: a file may have 3 rows"),
        ("a.jsonl", b'{"a": 1, "b": 2, "c": 3}', "line 1: has 3 fields, 2 are allowed"),
        ("a.jsonl", b'{"a": "' + b"x" * 21 + b'"}', "line 1: field 'a' has more than 20 characters"),
        ("a.jsonl", b'{"a": "' + b"x" * 1000 + b'"}', "line 1: is longer than 160 bytes"),
        ("a.csv", b"text,label\nx\n", "row 2: has another number of fields"),
        ("a.csv", b"text,label\nx,1\ny,\0\n", "line 3: has a NUL"),
        ("a.csv", b"text,label\nx,\xff\n", "line 2: is not UTF-8"),
        ("a.csv", b'text,label\nx,"1', "unexpected end of data"),
        ("a.csv", b"", "holds no rows"),
        ("a.csv", b"text,label\n", "holds no rows"),
    ],
)
def test_the_first_wrong_line_is_named(name: str, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_rows(io.BytesIO(content), name=name, limits=SMALL)


@pytest.mark.parametrize("content", [zipped(), b"\x1f\x8b\x08\x00", b"BZh9", b"7z\xbc\xaf\x27\x1c"])
def test_archives_are_not_unpacked(content: bytes) -> None:
    with pytest.raises(RefusalError, match="is an archive") as refused:
        check_rows(io.BytesIO(content), name="rows.csv", limits=Limits())
    assert refused.value.kind.status == 415


def test_a_csv_field_that_never_ends_is_no_bomb() -> None:
    bomb = b'text,label\n"' + b"x\n" * 200_000
    with pytest.raises(DataError, match="field larger than field limit"):
        check_rows(io.BytesIO(bomb), name="a.csv", limits=Limits())


@pytest.mark.parametrize("name", ["", ".", "..", "a\nb.csv", "x" * 300 + ".csv", "a\0.csv"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(RefusalError):
        clean_name(name)


@pytest.mark.parametrize("name", ["../../etc/rows.csv", "C:\\data\\rows.csv", "/rows.csv"])
def test_folders_in_a_name_are_dropped(name: str) -> None:
    assert clean_name(name) == "rows.csv"


def test_a_file_comes_back_as_it_was_handed_in(service: Running) -> None:
    file = service.upload(ROWS)
    about = service.ask("GET", f"/v1/files/{file}").json()
    assert (about["filename"], about["rows"], about["bytes"], about["format"]) == ("rows.jsonl", 16, len(ROWS), "jsonl")
    assert service.ask("GET", f"/v1/files/{file}/content").content == ROWS.encode()
    assert service.ask("DELETE", f"/v1/files/{file}").json()["deleted"] is True
    assert service.ask("GET", f"/v1/files/{file}").status_code == 404


def test_a_file_that_a_job_needs_stays(service: Running) -> None:
    file = service.upload()
    service.submit(training_file=file)
    assert service.ask("DELETE", f"/v1/files/{file}").status_code == 409


@pytest.mark.parametrize(
    ("files", "data", "status"),
    [
        ({"file": ("rows.csv", zipped())}, {}, 415),
        ({"file": ("rows.txt", "a")}, {}, 415),
        ({"file": ("rows.csv", "a\n1\n")}, {"purpose": "fine-tune"}, 422),
        ({"other": ("rows.csv", "a\n1\n")}, {}, 422),
        ({"file": ("rows.csv", "a\n1\n")}, {"other": "x"}, 422),
        ({"file": ("rows.jsonl", "{")}, {}, 422),
        ({"file": ("rows.csv", "a\n1\n"), "file2": ("rows.csv", "a\n1\n")}, {}, 400),
    ],
)
def test_an_upload_that_is_none_is_refused(
    service: Running, files: dict[str, tuple[str, bytes]], data: dict[str, str], status: int
) -> None:
    answer = service.ask("POST", "/v1/files", files=files, data=data)
    assert answer.status_code == status, answer.text
    assert answer.json()["status"] == status


def test_files_of_one_owner_have_a_limit_together(tmp_path: object) -> None:
    from pathlib import Path

    from tests.blackbox.service.http.running import FREE, running

    with running(Path(str(tmp_path)), limits=Limits(files=len(ROWS) + 10, rates=FREE.rates)) as service:
        service.upload(ROWS)
        answer = service.ask("POST", "/v1/files", files={"file": ("rows.jsonl", ROWS)})
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "quota_exceeded")
