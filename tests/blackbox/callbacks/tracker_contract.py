"""What every tracker must keep, read back from where it writes. Inherit `TrackerContract` and say how."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from blackbox import Evaluation, Result, resume, tune
from blackbox.backends import FakeBackend, Prompt, Query, Scores
from blackbox.callbacks import Tracker
from tests.blackbox.small import QUICK, make_task

Points = Mapping[str, Sequence[tuple[int, float]]]
"""(step, value) by the name of a figure, in the order in which they were logged."""


class Stopping(FakeBackend):
    """Is stopped by its user at one of its calls, counted from 1."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._left = at

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        self._left -= 1
        if not self._left:
            raise KeyboardInterrupt
        return super().score(prompts, queries)


def start(folder: Path, tracker: Tracker, **changes: object) -> Result:
    return tune(make_task(), **{**QUICK, "folder": folder, "callbacks": [tracker], **changes})


def stop_and_go_on(folder: Path, first: Tracker, second: Tracker, *, at: int) -> Result:
    """A run that is stopped at a call of the backend and resumed with another tracker."""
    with pytest.raises(KeyboardInterrupt):
        start(folder, first, backend=Stopping(at))
    return resume(folder, backend=FakeBackend(), callbacks=[second])


def expected_losses(history: Sequence[Evaluation]) -> list[tuple[int, float]]:
    """The lowest training loss at the end of the start and of each generation, by evaluations; dev looks count one."""
    points: dict[int, tuple[int, float]] = {}
    spent, lowest = 0, float("inf")
    for one in history:
        spent += one.split != "test"
        lowest = min(lowest, one.loss) if one.split == "train" else lowest
        points[one.generation] = spent, lowest
    return list(points.values())


@pytest.mark.usefixtures("without_pictures")
class TrackerContract:
    """A subclass has the means; a fixture of the test's folder is handed to each."""

    def make(self, at: Path) -> Tracker:
        """A tracker that keeps its runs here."""
        raise NotImplementedError

    def runs(self, at: Path) -> Sequence[Points]:
        """The points of each run that stands here, the outcome left out."""
        raise NotImplementedError

    def test_a_run_has_a_point_for_its_start_and_each_generation(self, tmp_path: Path) -> None:
        result = start(tmp_path / "run", self.make(tmp_path))
        [points] = self.runs(tmp_path)
        assert [step for step, _ in points["train/loss"]] == [step for step, _ in expected_losses(result.history)]
        losses = [value for _, value in points["train/loss"]]
        assert losses == pytest.approx([loss for _, loss in expected_losses(result.history)], rel=1e-6)
        last = max(step for step, _ in points["cost/requests"])
        by_name = {name: dict(of_name).get(last) for name, of_name in points.items()}
        assert result.summary.dev is not None
        assert result.summary.dev.interval is not None
        assert by_name["dev/accuracy"] == pytest.approx(result.summary.dev.value)
        assert by_name["dev/accuracy_low"] == pytest.approx(result.summary.dev.interval[0])
        assert by_name["dev/accuracy_high"] == pytest.approx(result.summary.dev.interval[1])
        assert by_name["search/evaluations"] == result.summary.evaluations
        before_the_outcome = result.history[:-1]  # the last is that of the test rows
        assert result.history[-1].split == "test"
        assert by_name["cost/requests"] == sum(one.usage.requests for one in before_the_outcome)
        assert by_name["cost/prompt_tokens"] == sum(one.usage.prompt_tokens for one in before_the_outcome)
        assert by_name["search/generation_seconds"] > 0  # type: ignore[operator]

    @pytest.mark.parametrize("at", [2, 9])
    def test_a_resumed_run_goes_on_with_the_same_run_and_no_point_comes_twice(self, tmp_path: Path, at: int) -> None:
        """Once before the first checkpoint, once in mid-run."""
        result = stop_and_go_on(tmp_path / "run", self.make(tmp_path), self.make(tmp_path), at=at)
        [points] = self.runs(tmp_path)
        wanted = expected_losses(result.history)
        assert [step for step, _ in points["train/loss"]] == [step for step, _ in wanted]
        assert [value for _, value in points["train/loss"]] == pytest.approx([loss for _, loss in wanted], rel=1e-6)
