"""What the page says over again in JavaScript is what the library says."""

import csv
import io

import pytest

from blackbox.errors import DataError
from blackbox.report.words import counted, in_time, in_usd
from blackbox.template import Template
from tests.blackbox.service.page.browser import Browser
from tests.blackbox.service.page.serving import Serving


def test_figures_are_written_as_the_reports_write_them(browser: Browser, service: Serving) -> None:
    browser.open(service.url)
    times = [0, 0.04, 9.94, 9.96, 59.4, 59.6, 61, 3599.6, 3600, 86399, 86400, 2e6]
    assert browser.imported("words.js", "return given[0].map(page.inTime)", times) == [in_time(time) for time in times]
    sums = [0, 0.0001, 0.5, 1, 1234.5]
    assert browser.imported("words.js", "return given[0].map(page.inUsd)", sums) == [in_usd(usd) for usd in sums]
    numbers = [0, 1, 8000]
    found = browser.imported("words.js", "return given[0].map((number) => page.counted(number, 'row'))", numbers)
    assert found == [counted(number, "row") for number in numbers]


@pytest.mark.parametrize(
    "text",
    [
        "{text} It was {label}.",
        "{label}{a}{b}{a}",
        "{{text}} {label} }}",
        "{text}",
        "{label} {label}",
        "{label",
        "} {label}",
        "{label} {a b}",
        "{label} {}",
        "{label} {a.b}",
    ],
)
def test_templates_are_read_as_the_library_reads_them(browser: Browser, service: Serving, text: str) -> None:
    row = {"text": "{x}", "a": 1, "b": True}
    try:
        query = Template(text).render(row, ["word"], where="row")
        expected: str | None = f"{query.before}word{query.after}"
    except DataError:
        expected = None
    browser.open(service.url)
    body = """
        try { var pieces = page.piecesOf(given[0]); } catch { return null; }
        return page.filledPieces(pieces, given[1], 'word').map((piece) => piece.text).join('');
    """
    assert browser.imported("template.js", body, text, row) == expected


def test_csv_is_read_as_the_library_reads_it(browser: Browser, service: Serving) -> None:
    written = io.StringIO()
    rows = [
        {"text": 'a "quoted", long\nline', "label": ""},
        {"text": " spaces ", "label": "ü,"},
        {"text": "", "label": "x"},
    ]
    writer = csv.DictWriter(written, ["text", "label"])
    writer.writeheader()
    writer.writerows(rows)
    browser.open(service.url)
    assert browser.imported("rows.js", "return page.csvRows(given[0])", written.getvalue()) == rows
