"""Settings by name."""

import pytest

from blackbox import tune
from blackbox.errors import SettingError
from tests.blackbox.small import make_rows, make_target_task, make_task

pytestmark = pytest.mark.usefixtures("without_pictures")


def test_the_best_recipe_finds_a_better_prompt_and_keeps_what_tells_the_labels_best() -> None:
    task = make_task()
    result = tune(task, backend="fake", prompt="classify", preset="best", dimension=5, evaluations=400)
    means = [one for one in result.history if one.split == "train" and one.block is None]
    assert len(means) > 10
    assert min(one.loss for one in means) < result.history[0].loss
    assert [one.tried.readout for one in result.history if one.split == "dev" and one.tried] == ["ridge"]
    assert result.predictor.evaluate(task.test.rows) == result.summary.figure_after
    assert len(result.predict(make_rows(3, first=300))) == 3


def test_the_best_recipe_says_what_it_needs() -> None:
    with pytest.raises(SettingError, match="setting 'readout': is kept only where it is clearly better on dev rows"):
        tune(make_task(dev=0), backend="fake", preset="best")
    with pytest.raises(SettingError, match="readouts tell labels"):
        tune(make_target_task(), backend="fake", preset="best")
