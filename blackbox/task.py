"""Tasks: what a prompt shall be good at."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from blackbox.backends import Prompt
from blackbox.blank import make_blank
from blackbox.class_weights import as_settings
from blackbox.class_weights import class_weights as weights_of
from blackbox.errors import DataError, SettingError
from blackbox.form import Form
from blackbox.graders import ANSWER_TOKENS, ScoreGrader, make_grader
from blackbox.label_numbers import LabelNumbers
from blackbox.mixing import mixed_rows
from blackbox.split import RawRow, Split, make_split, shown_rows
from blackbox.tables import Rows, rows_of
from blackbox.tags import Tags
from blackbox.template import Template
from blackbox.text_metrics import TextFunction
from blackbox.verbalizers.grader import readout_grader
from blackbox.verbalizers.named_readouts import READOUTS


class Task:
    """Rows, a template with one `{label}`, label words or targets, a loss and a metric.

    With `label_words`, each row has one of a few labels, and their words are compared. With `target_field`, each row
    has a text of its own, its target. Without a metric, the loss is how unlikely the model finds it. With one, the
    model writes what comes behind the text in front of `{label}`, the metric compares that with the target, and the
    loss of a row is what it lacks to 1.

    Args:
        train: rows that candidates are scored on, as mappings from field name to value, or a table of pandas, polars,
            pyarrow or Hugging Face `datasets` whose columns are the fields.
        template: `"{text} It was {label}."` or `"{question}\\n{label}"`; the label word or the target goes where
            `{label}` stands, every other slot is a field of the rows.
        label_words: label -> the word that stands for it, e.g. `{"negative": "bad", "positive": "great"}`. Words
            may be several tokens long. Labels that are no text are taken as `str` writes them.
        dev: rows that the prompt is selected on; empty selects on the training loss.
        test: rows that are touched only to report the start and the outcome.
        loss: of label words "cross-entropy" (the default), "hinge", "error-rate" or "ranked-probability", which takes
            their order for that of a scale; of targets there is one only:
            "cross-entropy", the mean of -log p(target) in nats, or with a metric "error-rate" (the default then); with
            a metric and "cross-entropy", dev and test rows are written to as well, and training rows are not.
        margin: of the hinge loss, nats.
        metric: of label words "accuracy" (the default) or "macro-f1"; of targets "none" (the default), "exact-match",
            "numeric-match", "contains" or "token-f1" (`blackbox.text_metrics`), or a function of a written text and the
            row's targets with values from 0 to 1. A run with a function is resumed with the same function.
        label_field: the field that holds a row's label.
        number_field: the field that holds a row's number, instead of a label; the labels of `label_words` are numbers
            then, the prediction is the expected one, the loss "squared-error" of it (the default) or one of label
            words, for the label that is nearest, the metric "mae" (the default), "pearson" or "spearman".
        target_field: the field that holds a row's target, or a list of targets: a written text may be any of them, the
            likelihood is that of the first.
        tags_field, tokens_field: the fields that hold the lists of a sentence's tags and tokens, instead of a label:
            each token is asked for on its own (`blackbox.tags`), the metric is "accuracy" (the default), "macro-f1" or
            "span-f1", its interval one over sentences.
        answer_tokens: tokens that the model writes at most; a longer text is cut, and compared as it stands.
        templates: further templates, which an average over templates is tried with after the search.
        robust: the training rows take turns in all templates (`blackbox.turns`), so that the search does not go by one;
            dev and test rows stand in `template`.
        verbalizer: "given": the model's probabilities of the label words; else what is fitted on the training rows
            behind each prompt: "calibrated": an offset for each label (`blackbox.verbalizers.offsets`); or what a row's
            hidden state tells: "representative": how near it is to the mean of each label's
            (`blackbox.verbalizers.class_means`), "ridge": by linear regression (`blackbox.verbalizers.ridge`).
        class_weights: how much the rows of a label count in the loss: "balanced", so that all labels count alike, or
            label -> weight (`blackbox.class_weights`); None: all rows alike.
        augment: "mixpro": behind the training rows stand as many that are mixed from them (`blackbox.mixing`).

    Attributes:
        blank: what fills the blanks of the rows.
        form: it with the template around it.
        grader: asks the rows and grades the answers.
        metric, answer_tokens, templates, robust, augment, class_weights: as given, but for labels that are no text.
        n_given: training rows that were given; those behind them are mixed.

    Raises:
        DataError: no rows, a row that is no mapping, without a field or with an unknown label, a label without training
            rows, fewer than two labels, an empty label word or one that stands for two labels, label words and targets
            both or neither, a row without a target or with one that the metric does not accept, or a template that
            names the target itself.
        SettingError: an unknown loss or metric, or one that has no meaning for label words, or for targets; `robust`
            without templates.
    """

    def __init__(
        self,
        train: Rows,
        *,
        template: str,
        label_words: Mapping[Any, str] | None = None,
        dev: Rows = (),
        test: Rows = (),
        loss: str | None = None,
        margin: float = 2.0,
        metric: str | TextFunction | None = None,
        label_field: str = "label",
        target_field: str | None = None,
        number_field: str | None = None,
        tags_field: str | None = None,
        tokens_field: str = Tags.tokens_field,
        answer_tokens: int = ANSWER_TOKENS,
        templates: Sequence[str] = (),
        robust: bool = False,
        verbalizer: str = "given",
        class_weights: str | Mapping[Any, float] | None = None,
        augment: str = "none",
    ) -> None:
        train, dev, test = rows_of(train), rows_of(dev), rows_of(test)
        self.template = Template(template)
        self.blank = make_blank(
            label_words,
            label_field=label_field,
            target_field=target_field,
            number_field=number_field,
            tags_field=tags_field,
            tokens_field=tokens_field,
        )
        self.metric, self.answer_tokens, self.class_weights = metric, answer_tokens, as_settings(class_weights)
        grader = partial(make_grader, self.blank, loss=loss, margin=margin, metric=metric, answer_tokens=answer_tokens)
        self.grader = grader()
        self.form = Form(self.template, self.blank)
        if not train:
            raise DataError("train has no rows")
        self.templates, self.robust = _others(templates, template, robust=robust), robust
        others = tuple(Template(other) for other in self.templates) if robust else ()
        self.augment = augment
        mixed = self._mixed(train)
        form = Form(self.template, self.blank, others)
        self.train = make_split("train", [*train, *mixed], form)
        self.n_given = len(self.train) - len(mixed)
        self.dev = make_split("dev", dev, self.form)
        self.test = make_split("test", test, self.form)
        self._check_templates()
        for split in (self.train, self.dev, self.test):
            self.grader.check_rows(split)
        self._check_classes()
        if self.class_weights is not None:
            self.grader = grader(weights=self._weights(self.class_weights))
        if verbalizer not in ("given", *READOUTS):
            known = ", ".join(map(repr, READOUTS))
            raise SettingError(f"verbalizer of a task must be 'given' or one of {known}, got {verbalizer!r}")
        if verbalizer in READOUTS:
            self.grader = readout_grader(self.grader, self.train, self.dev, verbalizer)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the label words; none of a task with targets."""
        return self.blank.labels

    @property
    def terms(self) -> dict[str, object]:
        """What is asked of the rows, by the names that `blackbox.Config` has for it."""
        of_templates = {"templates": list(self.templates), "robust": self.robust} if self.templates else {}
        weights = {} if self.class_weights is None else {"class_weights": self.class_weights}
        of_rows = {} if self.augment == "none" else {"augment": self.augment}
        asked = {**self.blank.terms, **self.grader.terms}
        return {"template": self.template.text, **of_templates, **of_rows, **asked, **weights}

    def split(self, name: str) -> Split:
        """The rows of "train", "dev" or "test"."""
        return {split.name: split for split in (self.train, self.dev, self.test)}[name]

    def to_dict(self) -> dict[str, object]:
        """The task as JSON values; `Task.from_dict` makes it again."""
        rows = {"train": self.train.rows[: self.n_given], "dev": self.dev.rows, "test": self.test.rows}
        return {**self.terms, **{name: [dict(row) for row in self.blank.given(part)] for name, part in rows.items()}}

    def changed(self, **terms: object) -> "Task":
        """The same rows with other terms, by the names of the arguments."""
        return Task.from_dict({**self.to_dict(), **terms})

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "Task":
        """The task that `to_dict` wrote; a metric that is a function stands there by its name, and must be replaced."""
        return cls(**values)  # type: ignore[arg-type]

    def check_prompt(self, prompt: Prompt) -> None:
        """Refuse a prompt that cannot be scored on the rows.

        Raises:
            DataError: its own form is none for them, or it shows a training row that there is not.
        """
        for split in (self.train, self.dev, self.test):
            self.grader.check_rows(split.in_form_of(prompt))
        shown_rows(prompt, self.train)

    def _mixed(self, train: Sequence[RawRow]) -> list[dict[str, object]]:
        if self.augment == "none":
            return []
        if self.augment != "mixpro":
            raise SettingError(f"setting 'augment': must be none or mixpro, got {self.augment!r}")
        if not (self.labels and isinstance(self.grader, ScoreGrader)):
            raise SettingError("setting 'augment': rows are mixed with others of their label, and these have none")
        for number, row in enumerate(train, start=1):
            self.template.check(row, where=f"train row {number}")
        labels = self.blank.right_options(train, where="train").tolist()
        templates = [self.template, *(Template(other) for other in self.templates)]
        return mixed_rows(train, labels, list(dict.fromkeys(name for one in templates for name in one.fields)))

    def _check_templates(self) -> None:
        rows = [*self.train.rows, *self.dev.rows, *self.test.rows]
        for template in self.templates:
            other = self.form.within(template).template
            if set(other.fields_behind_label) - set(self.template.fields_behind_label):
                raise DataError(f"template {template!r} puts fields behind {{label}}, and the first one does not")
            for number, row in enumerate(rows, start=1):
                other.check(row, where=f"row {number}")

    def _check_classes(self) -> None:
        if isinstance(self.blank, LabelNumbers | Tags):  # a number may be far off, a tag rare
            return
        for label, count in zip(self.labels, self._counts, strict=True):
            if not count:
                raise DataError(f"label {label!r} has no row in train; every label needs one")

    @property
    def _counts(self) -> list[int]:
        """Training rows of each label."""
        counts = Counter(self.train.labels.tolist())
        return [counts[index] for index in range(len(self.labels))]

    def _weights(self, given: str | Mapping[str, float]) -> tuple[float, ...]:
        """Of the labels; none of what has none, which the grader refuses."""
        return weights_of(given, self.labels, self._counts) if self.labels else ()


def _others(templates: Sequence[str], first: str, *, robust: bool) -> tuple[str, ...]:
    """The templates beside the first one.

    Raises:
        SettingError: one stands there twice, or there are none for a search that shall go by several.
    """
    if isinstance(templates, str):
        raise SettingError(f"setting 'templates': must be a list of templates, got the text {templates!r}")
    if robust and not templates:
        raise SettingError("setting 'robust': needs `templates` beside the first one, and there are none")
    if len({first, *templates}) <= len(templates):
        raise SettingError("setting 'templates': must hold each template once, and not `template` itself")
    return tuple(templates)
