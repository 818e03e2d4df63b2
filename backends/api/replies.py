"""Replies checked against the shape that they must have."""

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from blackbox.backends.errors import GarbageError


class Shape(BaseModel):
    """A part of a reply; what is not named is passed over, and nothing is turned into another type."""

    model_config = ConfigDict(strict=True)


S = TypeVar("S", bound=Shape)


def shaped(shape: type[S], reply: object) -> S:
    """The reply as that shape.

    Raises:
        GarbageError: it has another; the text says where.
    """
    try:
        return shape.model_validate(reply)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise GarbageError(f"the reply is no answer: {place or 'it'}: {first['msg']}") from error


def shaped_or_none(shape: type[S], reply: object) -> S | None:
    """The same where another shape is no error."""
    try:
        return shape.model_validate(reply)
    except ValidationError:
        return None
