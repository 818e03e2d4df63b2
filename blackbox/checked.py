"""Keys and values checked against a model, with errors of one line."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from blackbox.errors import SettingError

Model = TypeVar("Model", bound=BaseModel)


def checked(
    model: type[Model], values: Mapping[str, Any], *, what: str, defaults: Mapping[str, Any] | None = None
) -> Model:
    """A model of some values.

    Args:
        model: its fields are the keys that there are.
        what: a key is called in errors.
        defaults: values of keys that are not given, in place of the model's own.

    Raises:
        SettingError: an unknown key (with the nearest known one) or a value out of its range.
    """
    check_keys(values, model.model_fields, what=what)
    try:
        return model(**{**(defaults or {}), **values})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise SettingError(f"{what} {key!r}: {message[0].lower() + message[1:]}, got {first['input']!r}") from error


def check_keys(keys: Iterable[str], known: Collection[str], *, what: str) -> None:
    """Refuse keys that there are not.

    Raises:
        SettingError: one is unknown; the text has the nearest known one.
    """
    for key in keys:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
            raise SettingError(f"unknown {what} {key!r}; {hint}")
