"""From a task's terms to its grader."""

from blackbox.backends import Writing
from blackbox.blank import Blank
from blackbox.errors import SettingError
from blackbox.graders.base import Grader
from blackbox.graders.scores import NumberGrader, ScoreGrader, TagGrader
from blackbox.graders.texts import LikelihoodGrader, TextGrader
from blackbox.label_numbers import LabelNumbers
from blackbox.losses import Loss, Weighted, make_loss
from blackbox.metrics import METRICS, make_metric
from blackbox.number_metrics import make_number_metric
from blackbox.number_scores import SQUARED_ERROR, SquaredError
from blackbox.tag_metrics import make_tag_metric
from blackbox.tags import Tags
from blackbox.text_metrics import TextFunction, make_text_metric

ANSWER_TOKENS = 16


def make_grader(
    blank: Blank,
    *,
    loss: str | None = None,
    margin: float = 2.0,
    metric: str | TextFunction | None = None,
    answer_tokens: int = ANSWER_TOKENS,
    weights: tuple[float, ...] | None = None,
) -> Grader:
    """The grader of what fills a blank.

    Args:
        blank: label words or targets.
        loss: None is "cross-entropy"; where texts are compared, "error-rate", or "cross-entropy" for a search by the
            likelihood of targets; of numbers "squared-error".
        margin: of the hinge loss, nats.
        metric: None is "accuracy" of label words, "none" of targets; their likelihood is their loss then; of numbers
            "mae".
        answer_tokens: written at most.
        weights: of the labels, in their order; None where all count alike.

    Raises:
        SettingError: an unknown loss or metric, or one that has no meaning for this blank, or weights of what has no
            labels.
    """
    if weights is not None and (not blank.labels or isinstance(blank, LabelNumbers)):
        raise SettingError("class_weights are of labels, and the rows have targets or numbers; leave them out")
    if isinstance(blank, LabelNumbers):
        return _number_grader(blank, loss or SQUARED_ERROR, margin, metric)
    if isinstance(blank, Tags):
        return _tag_grader(blank, loss or "cross-entropy", margin, metric, weights)
    if not blank.labels and metric is not None and metric != "none":
        if loss == "cross-entropy":
            return _likelihood_grader(blank, margin, metric, answer_tokens)
        return _text_grader(loss or "error-rate", margin, metric, answer_tokens)
    return _score_grader(blank, loss or "cross-entropy", margin, metric, weights)


def _number_grader(blank: LabelNumbers, loss: str, margin: float, metric: str | TextFunction | None) -> NumberGrader:
    name = _named(metric, "mae")
    of_scores = SquaredError(blank.values) if loss == SQUARED_ERROR else make_loss(loss, margin=margin)
    return NumberGrader({"loss": loss, "margin": margin, "metric": name}, of_scores, make_number_metric(name), blank)


def _tag_grader(
    blank: Tags, loss: str, margin: float, metric: str | TextFunction | None, weights: tuple[float, ...] | None
) -> TagGrader:
    name, of_tags = _named(metric, "accuracy"), _label_loss(loss, margin, weights)
    terms = {"loss": loss, "margin": margin, "metric": name}
    return TagGrader(terms, of_tags, make_tag_metric(name, blank.labels), blank)


def _score_grader(
    blank: Blank,
    loss: str,
    margin: float,
    metric: str | TextFunction | None,
    weights: tuple[float, ...] | None,
) -> ScoreGrader:
    of_scores = _label_loss(loss, margin, weights)
    if not blank.labels:
        if loss != "cross-entropy":
            raise SettingError(f"loss {loss!r} compares label words, and targets have none; use 'cross-entropy'")
        return ScoreGrader(blank.needs, {"loss": loss, "margin": margin, "metric": "none"}, of_scores, None)
    name = _named(metric, "accuracy")
    return ScoreGrader(blank.needs, {"loss": loss, "margin": margin, "metric": name}, of_scores, make_metric(name))


def _label_loss(loss: str, margin: float, weights: tuple[float, ...] | None) -> Loss:
    if loss == SQUARED_ERROR:
        raise SettingError(f"loss {loss!r} is of numbers: name the field that holds them, number_field")
    of_scores = make_loss(loss, margin=margin)
    return of_scores if weights is None else Weighted(of_scores, weights)


def _named(metric: str | TextFunction | None, default: str) -> str:
    if metric is None or isinstance(metric, str):
        return default if metric is None else metric
    raise SettingError(f"a function compares written texts, and labels are chosen; known: {', '.join(METRICS)}")


def _text_grader(loss: str, margin: float, metric: str | TextFunction, answer_tokens: int) -> TextGrader:
    make_loss(loss, margin=margin)
    of_texts = make_text_metric(metric)
    if loss != "error-rate":
        raise SettingError(
            f"the loss of texts that are compared by {of_texts.name} is 1 less that, 'error-rate', or the "
            f"'cross-entropy' of their targets, got {loss!r}"
        )
    if answer_tokens < 1:
        raise SettingError(f"answer_tokens must be at least 1, got {answer_tokens}")
    terms = {"loss": loss, "margin": margin, "metric": of_texts.name, "answer_tokens": answer_tokens}
    return TextGrader(terms, of_texts, Writing(max_tokens=answer_tokens))


def _likelihood_grader(blank: Blank, margin: float, metric: str | TextFunction, answer_tokens: int) -> LikelihoodGrader:
    likelihoods = _score_grader(blank, "cross-entropy", margin, None, None)
    texts = _text_grader("error-rate", margin, metric, answer_tokens)
    return LikelihoodGrader({**texts.terms, "loss": "cross-entropy"}, likelihoods, texts)
