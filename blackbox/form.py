"""Forms: the text around the blank of a row, and what may fill it. A prompt may have a form of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from blackbox.backends import Prompt, Query, TextPrompt
from blackbox.blank import Blank
from blackbox.errors import DataError
from blackbox.template import Template
from blackbox.turns import turns

Row = Mapping[str, object]
OwnForm = tuple[str | None, tuple[str, ...] | None]


@dataclass(frozen=True)
class Form:
    """A template and what fills its blank.

    Attributes:
        template: the text around the blank.
        blank: what fills it.
        others: further templates, which rows whose right option is known take turns in (`blackbox.turns`).

    Raises:
        DataError: label words that cannot be told apart, or a template that names the target itself.
    """

    template: Template
    blank: Blank
    others: tuple[Template, ...] = ()

    def __post_init__(self) -> None:
        for template in (self.template, *self.others):
            self.blank.check(template)

    def of(self, prompt: Prompt) -> "Form":
        """The form in which rows are put behind a prompt: its own, as far as it has one, else this one.

        Raises:
            DataError: as of `Form` and `Template`, or not one label word for each label.
        """
        template, words = own_form(prompt)
        if template is None and words is None:
            return self
        return Form(
            self.template if template is None else Template(template),
            self.blank if words is None else self.blank.with_words(words),
            self.others if template is None else (),
        )

    def within(self, template: str) -> "Form":
        """The same blank in another template alone.

        Raises:
            DataError: as of `Form` and `Template`.
        """
        return Form(Template(template), self.blank)

    def asked(self, rows: Sequence[Row], *, where: str) -> list[Row]:
        """What a model is asked of rows: see `Blank.asked`.

        Raises:
            DataError: a row is no mapping, or no sentence where it must be one.
        """
        return self.blank.asked(_named(rows, where))

    def queries(self, rows: Sequence[Row], *, where: str) -> tuple[Query, ...]:
        """The queries that score rows; `where` names them in errors.

        Raises:
            DataError: a row is no mapping, or lacks a field of the template or its target.
        """
        named = _named(rows, where)
        templates = (self.template, *self.others)
        places = turns(self.blank.right_options(rows, where=where), len(templates)) if self.others else [0] * len(rows)
        return tuple(
            templates[turn].render(row, self.blank.options(row, where=place), where=place)
            for turn, (place, row) in zip(places, named, strict=True)
        )

    def open_queries(self, rows: Sequence[Row], *, where: str) -> tuple[Query, ...]:
        """The queries of rows of which nobody knows what is right; labels and targets are not looked at.

        Raises:
            DataError: a row is no mapping, or lacks a field of the template.
        """
        return tuple(self.template.render(row, self.blank.choices, where=place) for place, row in _named(rows, where))


def _named(rows: Sequence[Row], where: str) -> list[tuple[str, Row]]:
    """Each row with what it is called in errors."""
    named = [(f"{where} row {number}", row) for number, row in enumerate(rows, start=1)]
    for place, row in named:
        if not isinstance(row, Mapping):
            raise DataError(f"{place} must map fields to values, got {type(row).__name__}")
    return named


def own_form(prompt: Prompt) -> OwnForm:
    """The template and the label words that a prompt brings along; None for what it leaves to the task."""
    return (prompt.template, prompt.label_words) if isinstance(prompt, TextPrompt) else (None, None)
