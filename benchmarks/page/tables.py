"""Figures of any shape as tables of Markdown: single ones by name, mappings and lists of mappings as rows.

What is too long for a cell (texts, curves, lists) stands in the JSON file alone.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

LONGEST, FOLDED, WIDEST = 60, 16, 9  # characters of a cell, rows of a table that is not folded, columns
Row = Mapping[str, Any]
_SHOWN = (bool, int, float, str)


def blocks_of(figures: Mapping[str, Any], title: str = "") -> Iterator[str]:
    """Paragraphs and tables, each a block of Markdown.

    Args:
        figures: of a benchmark, or of a part of it.
        title: of the part.
    """
    if note := figures.get("note"):
        yield f"{note[0].upper()}{note[1:].rstrip('.')}."
    single = {key: value for key, value in figures.items() if key != "note" and cell(value)}
    parts = {key: value for key, value in figures.items() if key != "note" and key not in single}
    if single:
        yield table(("figure", "value"), [(words(key), cell(value)) for key, value in single.items()], title)
    if len(parts) > 1 and (rows := _rows(parts)):
        yield records(rows, title)
        return
    for key, value in parts.items():
        yield from _part(value, f"{title}, {words(key)}" if title else words(key))


def _part(value: Any, title: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        yield from [records(rows, title)] if (rows := _rows(value)) else blocks_of(value, title)
    elif _is_list_of_rows(value):
        yield records(_spread(value), title)


def _rows(parts: Mapping[str, Any]) -> list[Row]:
    """Alike parts as the rows of one table: mappings, mappings of these, or lists of rows; none for others."""
    each = list(parts.values())
    if all(map(_is_list_of_rows, each)):
        return [{"": words(key), **row} for key, rows in parts.items() for row in _spread(rows)]
    if not _are_alike(each):
        return []
    if not any(_is_deep(value) for part in each for value in part.values()):
        return [{"": words(key), **_flat(part)} for key, part in parts.items()]
    if all(_are_alike(_mappings(part).values()) for part in each):
        return [{"": words(key), **row} for key, part in parts.items() for row in _spread([part])]
    return []


def _spread(rows: Sequence[Row]) -> list[Row]:
    """Rows, or one for each part of a row where all rows have several that are alike."""
    if not all(len(_mappings(row)) > 1 and _are_alike(_mappings(row).values()) for row in rows):
        return [_flat(row) for row in rows]
    return [
        {**{own: value for own, value in row.items() if own not in _mappings(row)}, " ": words(key), **_flat(part)}
        for row in rows
        for key, part in _mappings(row).items()
    ]


def _mappings(row: Row) -> dict[str, Row]:
    return {key: value for key, value in row.items() if isinstance(value, Mapping)}


def _are_alike(parts: Collection[Any]) -> bool:
    """Whether all are mappings that have, on the mean, at least half of all keys."""
    if not parts or not all(isinstance(part, Mapping) and part for part in parts):
        return False
    return 2 * sum(map(len, parts)) >= len(parts) * len({key for part in parts for key in part})


def _is_list_of_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)


def _is_deep(value: Any) -> bool:
    """Whether it holds mappings of mappings, or mappings as rows: more than a row has room for."""
    return _is_list_of_rows(value) or (isinstance(value, Mapping) and bool(_mappings(value)))


def _flat(row: Row) -> dict[str, Any]:
    """A row with the figures of its parts beside its own."""
    flat = dict[str, Any]()
    for key, value in row.items():
        inside = isinstance(value, Mapping)
        flat |= {f"{key} {inner}": one for inner, one in value.items()} if inside else {key: value}
    return flat


def records(rows: Sequence[Row], title: str) -> str:
    """A table with the columns of all rows that have something to show; one that is too wide is turned."""
    keys = [key for key in dict.fromkeys(key for row in rows for key in row) if any(cell(row.get(key)) for row in rows)]
    head, body = [words(key) for key in keys], [[cell(row.get(key)) for key in keys] for row in rows]
    if len(keys) > WIDEST >= 2 * len(rows) and not keys[0]:
        [head, *body] = [list(column) for column in zip(head, *body, strict=True)]
    return table(head, body, title)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> str:
    """A table of Markdown; numbers stand right, many rows are folded."""
    right = [all(not row[i] or _is_number(row[i]) for row in rows) for i in range(len(head))]
    lines = [_line(head), _line(["---:" if one else "---" for one in right]), *map(_line, rows)]
    text = "\n".join(lines)
    if len(rows) <= FOLDED:
        return f"{title[0].upper()}{title[1:]}:\n\n{text}" if title else text
    return f"<details><summary>{title or 'all'}: {len(rows)} rows</summary>\n\n{text}\n\n</details>"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ""))
    except ValueError:
        return False
    return True


def words(key: str) -> str:
    """A name of the JSON file in words."""
    return str(key).replace("_", " ").replace("|", "\\|")


def cell(value: Any) -> str:
    """A figure as text, to three digits or whole; nothing where there is none or it is too long."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return number(value)
    if isinstance(value, str):
        short = value.replace("|", "\\|").replace("\n", " ").strip()
        return short if len(short) <= LONGEST else ""
    if isinstance(value, list) and all(isinstance(one, _SHOWN) for one in value):
        return cell(", ".join(cell(one) for one in value))
    return ""


def number(value: float) -> str:
    """To three digits, whole from a hundred on."""
    return cell(round(value)) if math.isfinite(value) and abs(value) >= 100 else f"{value:.3g}"
