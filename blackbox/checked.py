"""Keys and values checked against a model, with errors of one line."""

import difflib
from collections.abc import Mapping
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
    for key in values:
        if key not in model.model_fields:
            near = difflib.get_close_matches(key, model.model_fields, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(model.model_fields))}"
            raise SettingError(f"unknown {what} {key!r}; {hint}")
    try:
        return model(**{**(defaults or {}), **values})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise SettingError(f"{what} {key!r}: {message[0].lower() + message[1:]}, got {first['input']!r}") from error
