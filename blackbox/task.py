"""Tasks: what a prompt shall be good at."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from blackbox.backends import Prompt
from blackbox.blank import make_blank
from blackbox.errors import DataError
from blackbox.form import Form
from blackbox.graders import Grader, ScoreGrader
from blackbox.losses import Loss, make_loss
from blackbox.metrics import make_metric
from blackbox.split import RawRow, make_split, shown_rows
from blackbox.template import Template


class Task:
    """Rows, a template with one `{label}`, label words or targets, a loss and a metric.

    With `label_words`, each row has one of a few labels, and their words are compared. With `target_field`, each row
    has a text of its own, its target: the loss is how unlikely the model finds it, and there is no metric.

    Args:
        train: rows that candidates are scored on, as mappings from field name to value.
        template: `"{text} It was {label}."` or `"{question}\\n{label}"`; the label word or the target goes where
            `{label}` stands, every other slot is a field of the rows.
        label_words: label -> the word that stands for it, e.g. `{"negative": "bad", "positive": "great"}`. Words
            may be several tokens long. Labels that are no text are taken as `str` writes them.
        dev: rows that the prompt is selected on; empty selects on the training loss.
        test: rows that are touched only to report the start and the outcome.
        loss: "cross-entropy", "hinge" or "error-rate"; for targets the first only: the mean of -log p(target), nats.
        margin: of the hinge loss, nats.
        metric: "accuracy" or "macro-f1".
        label_field: the field that holds a row's label.
        target_field: the field that holds a row's target.

    Attributes:
        blank: what fills the blanks of the rows.
        form: it with the template around it.
        grader: asks the rows and grades the answers.

    Raises:
        DataError: no rows, a row that is no mapping, without a field or with an unknown label, a label without training
            rows, fewer than two labels, an empty label word or one that stands for two labels, label words and targets
            both or neither, a row without a target, or a template that names the target itself.
        SettingError: an unknown loss or metric, or a loss that needs label words for a task with targets.
    """

    def __init__(
        self,
        train: Sequence[RawRow],
        *,
        template: str,
        label_words: Mapping[Any, str] | None = None,
        dev: Sequence[RawRow] = (),
        test: Sequence[RawRow] = (),
        loss: str = "cross-entropy",
        margin: float = 2.0,
        metric: str = "accuracy",
        label_field: str = "label",
        target_field: str | None = None,
    ) -> None:
        self.template = Template(template)
        self.blank = make_blank(label_words, label_field=label_field, target_field=target_field)
        self.loss: Loss = make_loss(loss, margin=margin)
        measure = make_metric(metric)
        self.form = Form(self.template, self.blank)
        self.blank.check_loss(loss)
        self.grader: Grader = ScoreGrader(self.blank, self.loss, measure if self.blank.labels else None)
        self.settings = {"loss": loss, "margin": margin, "metric": metric}
        if not train:
            raise DataError("train has no rows")
        self.train = make_split("train", train, self.form)
        self.dev = make_split("dev", dev, self.form)
        self.test = make_split("test", test, self.form)
        self._check_classes()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the label words; none of a task with targets."""
        return self.blank.labels

    @property
    def terms(self) -> dict[str, object]:
        """What is asked of the rows, by the names that `blackbox.Config` has for it."""
        return {"template": self.template.text, **self.blank.terms, **self.settings}

    def to_dict(self) -> dict[str, object]:
        """The task as JSON values; `Task.from_dict` makes it again."""
        return {
            **self.terms,
            **{split.name: [dict(row) for row in split.rows] for split in (self.train, self.dev, self.test)},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "Task":
        """The task that `to_dict` wrote."""
        return cls(**values)  # type: ignore[arg-type]

    def check_prompt(self, prompt: Prompt) -> None:
        """Refuse a prompt that cannot be scored on the rows.

        Raises:
            DataError: its own form is none for them, or it shows a training row that there is not.
        """
        for split in (self.train, self.dev, self.test):
            split.in_form_of(prompt)
        shown_rows(prompt, self.train)

    def _check_classes(self) -> None:
        counts = Counter(self.train.labels.tolist())
        for index, label in enumerate(self.labels):
            if not counts[index]:
                raise DataError(f"label {label!r} has no row in train; every label needs one")
