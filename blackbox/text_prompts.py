"""Text prompts from settings and files, and as JSON values."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from blackbox.backends import Demonstration, TextPrompt
from blackbox.data import read_rows
from blackbox.errors import DataError, SettingError

_ADAPTER = TypeAdapter(TextPrompt)


def text_prompts(
    given: Sequence[Mapping[str, Any] | str] | str | None, *, role: Literal["user", "system"] = "user"
) -> list[TextPrompt]:
    """The prompts of the setting `prompts`: a list, or the path of a .txt (one a line) or .jsonl file.

    Args:
        given: texts, objects as `prompt_to_dict` writes them, or a path.
        role: of prompts that do not say theirs.

    Raises:
        SettingError: none are given, or one is no prompt.
        DataError: the file cannot be read.
    """
    if given is None:
        raise SettingError("space 'texts' needs `prompts`: a list of texts, a .txt file or a .jsonl file")
    values = _read(Path(given).expanduser()) if isinstance(given, str) else given
    return [_prompt(value, number, role) for number, value in enumerate(values, start=1)]


def instructions(given: Sequence[str] | str | None, *, start: str | None, general: Sequence[str]) -> list[str]:
    """The instructions of the setting `instructions`: a list, or the path of a .txt file with one a line.

    Args:
        given: texts, or a path; None stands for `start`, or no instruction, and the general ones.
        start: what the search starts from, in front of all.
        general: see `given`.

    Raises:
        DataError: the file cannot be read.
    """
    if given is None:
        given = general if start else ["", *general]
    texts = [str(text) for text in _read(Path(given).expanduser())] if isinstance(given, str) else given
    return list(dict.fromkeys([start, *texts] if start else texts))


def prompt_to_dict(prompt: TextPrompt) -> dict[str, object]:
    """JSON values, without what the prompt leaves to the task; `prompt_from_dict` makes the prompt again."""
    return {**_given(prompt), "demonstrations": [_given(shown) for shown in prompt.demonstrations]}


def prompt_from_dict(values: Mapping[str, object]) -> TextPrompt:
    """The prompt that `prompt_to_dict` wrote.

    Raises:
        ValueError: the values are not those of a prompt.
    """
    return _ADAPTER.validate_python(dict(values))


def _given(part: TextPrompt | Demonstration) -> dict[str, object]:
    values = {key: value for key, value in asdict(part).items() if value is not None}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def _prompt(value: Mapping[str, Any] | str, number: int, role: str) -> TextPrompt:
    values = {"text": value} if isinstance(value, str) else value
    try:
        return prompt_from_dict({"role": role, **values})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SettingError(f"prompt {number} is none: {place}: {first['msg'][:1].lower()}{first['msg'][1:]}") from error


def _read(path: Path) -> list[Mapping[str, Any] | str]:
    if path.suffix == ".jsonl":
        return list(read_rows(path))
    if path.suffix != ".txt":
        raise DataError(f"{path}: prompts are read from .txt and .jsonl files, got {path.suffix or 'no suffix'}")
    try:
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
