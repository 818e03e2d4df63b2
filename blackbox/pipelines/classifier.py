"""`PromptClassifier`: a tuned prompt in front of its model, as a classifier of scikit-learn."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import check_consistent_length, check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite, check_is_fitted, validate_data

from blackbox.backends import Backend
from blackbox.backends.errors import NoAnswerError
from blackbox.build import make_backend
from blackbox.callbacks import Callback
from blackbox.config import LIMITS
from blackbox.errors import DataError, SettingError
from blackbox.pipelines.features import Features, as_labels, fields_of, is_array, of_array, of_others, template_for
from blackbox.pipelines.fitting import Plan, held_back, make_plan
from blackbox.pipelines.models import MODELS, remember, remembered
from blackbox.prediction import Predictor
from blackbox.tables import PandasTable, PolarsTable
from blackbox.task import Task
from blackbox.template import Template

log = logging.getLogger(__name__)

_SHARED_BY_CLONES = ("backend", "callbacks")  # a copy of a model is a second model
_OF_THIS_PROCESS = ("_predictor", "callbacks")


class PromptClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Finds a prompt on labelled rows by `blackbox.tune`, and labels rows with it.

    X is a text for each row, a mapping from field to value, a table (pandas, polars, pyarrow, Hugging Face `datasets`)
    whose columns are the fields, or a two-dimensional array whose columns are the template's fields in its order. y
    holds a label of any type for each row: text, numbers, booleans.

    Some of the rows that `fit` is given are held back: the prompt is selected on them (`dev_share`). Weights of rows
    are not taken.

    Args:
        backend: "local", "openai", ... or an object. All clones share an object, and all classifiers of a process one
            loaded local model.
        model: as of the setting `model`; None is its default, the bundled model.
        template: text of a row with its fields and one `{label}`; None is `"{text} It was {label}."` of one column, and
            of several a line for each, `"name: {name}"`, and at last `"label: {label}"`.
        label_words: label -> the word that stands for it; None is each label as `str` writes it.
        prompt, space, optimizer, evaluations: as of these settings; None is their default.
        dev_share: of each label this share of its rows, rounded down, selects the prompt; at least one row. Where a
            label has fewer than 4 rows, or at 0, the prompt is selected on the training loss.
        class_weight: how much the rows of a label count in the search's loss: "balanced", or label -> weight; None: all
            alike.
        random_state: the run's seed, or a generator that draws it; None is the setting `seed`, 0 by default: two fits
            find the same.
        folder: where each run gets a folder, named for its settings and rows: to fit again what was fitted reads its
            prompt, and goes on where it was killed. None keeps nothing.
        callbacks: what watches the search.
        settings: further settings of `blackbox.Config` by name, e.g. `{"preset": "bbtv2", "base_url": ...}`.

    Attributes:
        classes_: the labels, sorted, shape (n_classes,).
        class_prior_: share of each label among the rows given, shape (n_classes,).
        prompt_: the `SavedPrompt` that was found.
        summary_: the run's figures and costs.
        n_features_in_: columns of X, if it was an array or a table of pandas or polars.
        feature_names_in_: their names, if they have some.

    A fitted classifier is pickled without its model, an object that is its backend, and callbacks. A model is loaded
    again by its name when it is first needed, and must have the same weights. An object is found where one with these
    weights was given to a classifier of the same process; anywhere else, `set_params(backend=...)` gives it again.
    """

    def __init__(
        self,
        backend: Backend | str | None = "local",
        model: str | None = None,
        *,
        template: str | None = None,
        label_words: Mapping[Any, str] | None = None,
        prompt: str | None = None,
        space: str | None = None,
        optimizer: str | None = None,
        evaluations: int | None = None,
        dev_share: float = 0.5,
        class_weight: str | Mapping[Any, float] | None = None,
        random_state: int | np.random.RandomState | None = None,
        folder: str | Path | None = None,
        callbacks: Sequence[Callback] = (),
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.backend = backend
        self.model = model
        self.template = template
        self.label_words = label_words
        self.prompt = prompt
        self.space = space
        self.optimizer = optimizer
        self.evaluations = evaluations
        self.dev_share = dev_share
        self.class_weight = class_weight
        self.random_state = random_state
        self.folder = folder
        self.callbacks = callbacks
        self.settings = settings

    def fit(self, X: Any, y: Any) -> Self:
        """Find the prompt.

        Raises:
            BlackboxError, BackendError, OptimizerError: as of `blackbox.tune`. DataError: X or y is not as said above,
                or y has one label only. ValueError: they have different lengths, or y holds NaN or is no labels.
        """
        if y is None:
            raise DataError("PromptClassifier requires y to be passed, but the target y is None")
        plan = self._plan()
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self, name):
                delattr(self, name)
        features = self._features(X, reset=True)
        places = self._learn_classes(y, features)
        if self.template is None:
            template, fields = template_for(features)
        else:
            template = Template(self.template)
            fields = fields_of(template)
        labels = [str(label) for label in self.classes_]
        rows = [{**row, "label": labels[place]} for row, place in zip(fields.rows(features), places, strict=True)]
        train, dev = held_back(rows, share=self.dev_share, seed=plan.config.seed)
        task = Task(
            train,
            template=template.text,
            label_words=self._words(),
            dev=dev,
            class_weights=self.class_weight,
            **plan.of_task,
        )
        with MODELS.shared():
            result = plan.run(task, folder=self.folder, callbacks=self.callbacks)
        self._fields, self._config = fields, plan.config
        self.prompt_, self.summary_ = result.saved, result.summary
        spent = isinstance(self.backend, str) and any(getattr(plan.config, limit) is not None for limit in LIMITS)
        self._predictor = None if spent else result.predictor  # the limits are the search's
        return self

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The most probable label of each row, shape (n_rows,).

        Raises:
            NoAnswerError: a row has no answer; `predict_proba` gives the others.
        """
        probabilities = self.predict_proba(X)
        unanswered = np.flatnonzero(np.isnan(probabilities).any(axis=1))
        if len(unanswered):
            raise NoAnswerError(
                f"{len(unanswered)} of {len(probabilities)} rows have no answer, the first is row "
                f"{unanswered[0] + 1}; predict_proba has NaN there and the answers of the others"
            )
        labels: npt.NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return labels

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """The probability of each label, in the order of `classes_`, shape (n_rows, n_classes); each row sums to 1.

        A row without an answer, of an endpoint that failed, has NaN. One that was answered with none of the label words
        has `class_prior_`: nothing is known of it.
        """
        check_is_fitted(self, "prompt_")
        rows = self._fields.rows(self._features(X, reset=False))
        predictions = self._ready().predict(rows)
        probabilities = np.full((len(rows), len(self.classes_)), np.nan)
        unreadable = 0
        for place, prediction in enumerate(predictions):
            if prediction.label is not None:
                shares = np.array([prediction.probabilities[str(label)] for label in self.classes_])
                probabilities[place] = shares / shares.sum()
            elif prediction.probabilities:
                probabilities[place] = self.class_prior_
                unreadable += 1
        if unreadable:
            log.warning("%d of %d rows were answered with none of the label words", unreadable, len(rows))
        return probabilities

    def __sklearn_clone__(self) -> Self:
        parameters = self.get_params(deep=False)
        copies = {
            name: value if name in _SHARED_BY_CLONES else clone(value, safe=False) for name, value in parameters.items()
        }
        copied = type(self)(**copies)
        if "_metadata_request" in vars(self):
            copied._metadata_request = clone(self._metadata_request, safe=False)
        return copied

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.classifier_tags.poor_score = True  # on numbers, and within the few evaluations of a check
        return tags

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "prompt_" not in state:
            return state
        if not isinstance(self.backend, str):
            state["backend"] = None
        return {**state, **{"_predictor": None, "callbacks": ()}}

    def _plan(self) -> Plan:
        if self.backend is None:
            raise SettingError(
                "backend must be a name or an object, got None: a fitted classifier is pickled without an object that "
                "is its backend; give it again with set_params(backend=...)"
            )
        if not isinstance(self.backend, str):
            remember(self.backend)
        names = ("model", "prompt", "space", "optimizer", "evaluations")
        parameters = {name: getattr(self, name) for name in names}
        if "seed" in (self.settings or {}) and self.random_state is None:
            return make_plan(parameters, self.settings, backend=self.backend)
        return make_plan({**parameters, "seed": self._seed()}, self.settings, backend=self.backend)

    def _seed(self) -> int | None:
        if self.random_state is None or isinstance(self.random_state, int | np.integer):
            return None if self.random_state is None else int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _features(self, X: Any, *, reset: bool) -> Features:
        if is_array(X):
            return of_array(validate_data(self, X, reset=reset, dtype=None))
        features = of_others(X)
        if isinstance(X, PandasTable | PolarsTable):
            validate_data(self, X, reset=reset, skip_check_array=True)
        return features

    def _learn_classes(self, y: Any, features: Features) -> npt.NDArray[np.int64]:
        """The place of each row's label among the classes, shape (n_rows,)."""
        labels = column_or_1d(as_labels(y), warn=True)
        assert_all_finite(labels, input_name="y")
        check_consistent_length(features.rows, labels)
        try:
            check_classification_targets(labels)
            classes, places, counts = np.unique(labels, return_inverse=True, return_counts=True)
        except TypeError as error:
            raise DataError(f"y must hold labels of one type, which can be sorted: {error}") from error
        if len(classes) < 2:
            raise DataError(f"y has one class, {str(classes[0])!r}; a classifier needs two at least")
        self.classes_, self.class_prior_ = classes, counts / counts.sum()
        return places

    def _words(self) -> dict[str, str]:
        """The labels' words in the order of the classes."""
        labels = [str(label) for label in self.classes_]
        if self.label_words is None:
            return {label: label for label in labels}
        words = {str(label): word for label, word in self.label_words.items()}
        if missing := [label for label in labels if label not in words]:
            raise DataError(f"label_words has no word for label {missing[0]!r} of y; it has: {', '.join(words)}")
        return {label: words[label] for label in labels}

    def _ready(self) -> Predictor:
        """The prompt in front of its model, which is loaded or found again after unpickling."""
        if self._predictor is None:
            with MODELS.shared():
                self._predictor = Predictor(self._backend_again(), self.prompt_)
        return self._predictor

    def _backend_again(self) -> Backend:
        if isinstance(self.backend, str):
            return make_backend(self._config.model_copy(update=dict.fromkeys(LIMITS)))
        backend = remembered(self.prompt_.model_hash) if self.backend is None else self.backend
        if backend is None:
            raise SettingError(
                f"this classifier was pickled without its backend object (model {self.prompt_.model!r}, hash "
                f"{self.prompt_.model_hash[:12]}); give it one with set_params(backend=...)"
            )
        return backend
