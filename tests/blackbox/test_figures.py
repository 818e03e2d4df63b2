import json
import math
from dataclasses import asdict

import pytest

from blackbox.figures import Figure, MeanLoss, figure_of
from blackbox.metrics import Measured

MEASURED = Measured("accuracy", 0.8, 0.74, 0.85, 200)


def test_a_metric_comes_before_the_loss() -> None:
    assert figure_of(MEASURED, 0.5) is MEASURED
    assert figure_of(None, 0.5, rows=7) == MeanLoss(0.5, 7)


@pytest.mark.parametrize("loss", [None, math.inf, math.nan])
def test_there_is_no_figure_without_an_answer(loss: float | None) -> None:
    assert figure_of(None, loss) is None


@pytest.mark.parametrize(
    ("better", "worse"),
    [(MEASURED, Measured("accuracy", 0.7, 0.6, 0.8, 200)), (MeanLoss(1.25), MeanLoss(2.5))],
    ids=["metric", "loss"],
)
def test_the_better_figure_ranks_first_and_reaches_more(better: Figure, worse: Figure) -> None:
    assert better.rank < worse.rank
    assert better.reaches(better.value)
    assert better.reaches(worse.value)
    assert not worse.reaches(better.value)


def test_a_metric_is_written_in_percent_and_a_loss_in_nats() -> None:
    assert (MEASURED.brief, str(MEASURED)) == ("80.0%", "80.0% (74.0% to 85.0%, 200 rows)")
    assert (MeanLoss(1.25).brief, str(MeanLoss(1.25)), str(MeanLoss(1.25, 40))) == (
        "1.2500",
        "1.2500 nats",
        "1.2500 nats (40 rows)",
    )


def test_changes_are_counted_in_the_figures_own_unit_and_told_by_their_direction() -> None:
    assert MEASURED.change_from(0.5) == "30.0 percentage points more"
    assert MEASURED.change_from(0.9) == "10.0 percentage points less"
    assert MeanLoss(1.25).change_from(2.0) == "0.7500 nats less"
    assert MeanLoss(1.25).change_from(1.0) == "0.2500 nats more"


def test_a_loss_in_json_has_the_name_of_what_it_is() -> None:
    assert json.loads(json.dumps(asdict(MeanLoss(1.25, 40)))) == {"metric": "loss", "value": 1.25, "rows": 40}
