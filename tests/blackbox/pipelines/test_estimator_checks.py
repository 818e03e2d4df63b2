"""scikit-learn's own checks of an estimator, all of them, on rows of numbers: `"x0: 1.5"`, ... and the fake backend."""

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import parametrize_with_checks

from blackbox.pipelines import PromptClassifier

QUICK = PromptClassifier("fake", evaluations=12, settings={"dimension": 2, "population": 2, "layers": "0"})


@parametrize_with_checks([QUICK])
def test_the_classifier_is_what_scikit_learn_takes_for_one(estimator: Any, check: Callable[[Any], None]) -> None:
    """None is expected to fail. `check_array_api_input` skips itself where SCIPY_ARRAY_API is not set."""
    check(estimator)
