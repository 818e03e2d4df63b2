"""Templates: how a row becomes a text with a blank where the label or the target goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from string import Formatter

from blackbox.backends import Query
from blackbox.errors import DataError

LABEL_SLOT = "label"


@dataclass(frozen=True)
class Template:
    """A text with slots for a row's fields and exactly one `{label}`: `"{text} It was {label}."`.

    Braces are written twice where they are meant as text, as in `str.format`.

    Raises:
        DataError: no `{label}`, several, a slot that is more or less than a name, or unbalanced braces.
    """

    text: str

    def __post_init__(self) -> None:
        labels = [field for _, field in self._pieces if field == LABEL_SLOT]
        if len(labels) != 1:
            raise DataError(
                f"template must have exactly one {{label}}, got {len(labels)} in {self.text!r}; "
                "it stands where the label word or the target goes"
            )

    @property
    def fields(self) -> tuple[str, ...]:
        """The row's fields that the template names, in order."""
        return tuple(field for _, field in self._pieces if field not in (None, LABEL_SLOT))

    @property
    def fields_behind_label(self) -> tuple[str, ...]:
        """Those that stand behind `{label}`: a model that reads left to right never sees them."""
        names = [field for _, field in self._pieces if field is not None]
        return tuple(names[names.index(LABEL_SLOT) + 1 :])

    @property
    def sides(self) -> tuple[str, str]:
        """What stands before `{label}` and what behind it, each for `str.format` with a row's fields."""
        sides = ["", ""]
        side = 0
        for literal, field in self._pieces:
            sides[side] += literal.replace("{", "{{").replace("}", "}}")
            if field == LABEL_SLOT:
                side = 1
            elif field is not None:
                sides[side] += f"{{{field}}}"
        return sides[0], sides[1]

    def check(self, row: Mapping[str, object], *, where: str) -> None:
        """Refuse a row that cannot be rendered; `where` names it.

        Raises:
            DataError: the row lacks a field of the template, or has null there.
        """
        for name in self.fields:
            if name not in row:
                has = ", ".join(row) or "none"
                raise DataError(f"{where} has no field {name!r}, which the template names; its fields: {has}")
            if row[name] is None:
                raise DataError(f"{where} has null in its field {name!r}, which the template names; give it a text")

    def render(self, row: Mapping[str, object], options: Sequence[str], *, where: str) -> Query:
        """The query of a row; `options` are the label words or the target, `where` names the row in errors.

        Raises:
            DataError: as `check` says.
        """
        self.check(row, where=where)
        sides: list[list[str]] = [[], []]
        side = 0
        for literal, field in self._pieces:
            sides[side].append(literal)
            if field == LABEL_SLOT:
                side = 1
            elif field is not None:
                sides[side].append(str(row[field]))
        return Query(before="".join(sides[0]), options=tuple(options), after="".join(sides[1]))

    @cached_property
    def _pieces(self) -> list[tuple[str, str | None]]:
        try:
            pieces = list(Formatter().parse(self.text))
        except ValueError as error:
            raise DataError(f"template {self.text!r}: {error}; write {{{{ and }}}} for braces in the text") from error
        for _, field, form, conversion in pieces:
            if field is not None and (form or conversion or not field.isidentifier()):
                raise DataError(f"template {self.text!r} has a slot that is no field name; write {{name}}, no more")
        return [(literal, field) for literal, field, _, _ in pieces]
