"""`python docs/settings_page.py` prints docs/settings.md: every setting, from the fields of `Config`."""

import sys
from collections.abc import Iterator

from pydantic.fields import FieldInfo

from blackbox.config import Config
from blackbox.presets import PRESETS

_HEAD = """# Settings

<!-- Written by `python docs/settings_page.py > docs/settings.md`; a test keeps it current. -->

Every setting is a key of the TOML file, an option of `blackbox tune` (`batch_tokens` is `--batch-tokens`) and a keyword
of `blackbox.tune`. Options replace what the file says, and both replace what a preset says. Paths in a TOML file count
from its folder.
"""
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most"}


def settings_page() -> str:
    """The page, in Markdown."""
    return "\n".join([_HEAD, *_groups(), *_presets()])


def _groups() -> Iterator[str]:
    for group in Config.__bases__:
        yield f"## {(group.__doc__ or '').rstrip('.')}\n\n{_table(list(group.__annotations__))}\n"
    yield f"## Published settings\n\n{_table(list(Config.__annotations__))}\n"


def _presets() -> Iterator[str]:
    names = list(PRESETS)
    yield f"| setting | {' | '.join(names)} |\n|---|{'---|' * len(names)}"
    for key in sorted({key for values in PRESETS.values() for key in values}):
        cells = [_code(PRESETS[name][key]) if key in PRESETS[name] else "" for name in names]
        yield f"| `{key}` | {' | '.join(cells)} |"
    yield ""


def _table(names: list[str]) -> str:
    rows = [_row(name, Config.model_fields[name]) for name in names]
    return "\n".join(["| setting | default | meaning |", "|---|---|---|", *rows])


def _row(name: str, field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    shown = "" if default in (None, {}, []) else _code(default)
    text, bounds = field.description or "", _bounds(field)
    meaning = (f"{text.removesuffix('.')}{bounds}." if bounds else text).replace("|", "\\|")
    return f"| `{name}` | {shown} | {meaning} |"


def _bounds(field: FieldInfo) -> str:
    """The range of a number, in words."""
    found = [
        f"{word} {getattr(rule, key)}" for rule in field.metadata for key, word in _BOUNDS.items() if hasattr(rule, key)
    ]
    return f" ({', '.join(found)})" if found else ""


def _code(value: object) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    sys.stdout.write(settings_page())
