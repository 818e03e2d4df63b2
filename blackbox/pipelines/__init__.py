"""The classifier for scikit-learn's pipelines, cross-validation and searches. It needs the extra `pipelines`."""

from blackbox.pipelines.classifier import PromptClassifier
from blackbox.pipelines.models import forget_models

__all__ = ["PromptClassifier", "forget_models"]
