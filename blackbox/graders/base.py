"""Graders: how the rows of a task are asked, and what their answers are worth."""

from collections.abc import Sequence
from typing import Protocol

from blackbox.backends import Backend, Capability, Prompt, Usage, Writing
from blackbox.errors import SettingError
from blackbox.row_answers import RowAnswers
from blackbox.split import Split

Graded = tuple[RowAnswers, Usage]


class Grader(Protocol):
    """See the module; `make_grader` makes one."""

    @property
    def needs(self) -> Capability:
        """What a backend must have to answer."""

    @property
    def terms(self) -> dict[str, object]:
        """Loss, margin and metric, and how much is written, by the names that `blackbox.Config` has for them."""

    @property
    def writing(self) -> Writing | None:
        """How the model writes; None where it does not."""

    def check_goal(self, goal: float | None) -> None:
        """Refuse a `target` of the search that nothing can reach.

        Raises:
            SettingError: a share above 1.
        """

    def check_rows(self, split: Split) -> None:
        """Refuse rows that no answer can be right for, and a form in which the model does not see all of them.

        Raises:
            DataError: the metric does not accept the target of a row, or a field stands behind the blank.
        """

    def ask(self, backend: Backend, prompts: Sequence[Prompt], split: Split) -> list[Graded]:
        """The answers of each prompt to all rows of a split, which stand in the form of these prompts, and their cost.

        Raises:
            UnsupportedPromptError, QueryError, StoppedError: as of the backend.
        """

    def nothing(self) -> RowAnswers:
        """Answers to no rows."""


def check_share(goal: float | None) -> None:
    if goal is not None and goal > 1:
        raise SettingError(f"setting 'target': must be at most 1, the share that the metric shall reach, got {goal}")
