"""Asking a model: each prompt for rows of its own choice, in a form of its own, in as few calls as that allows."""

from collections.abc import Sequence
from dataclasses import dataclass

from blackbox.backends import Backend, Prompt, Usage
from blackbox.form import OwnForm, own_form
from blackbox.graders import Grader
from blackbox.row_answers import RowAnswers
from blackbox.split import Split


@dataclass(frozen=True, eq=False)
class Asked:
    """What one prompt was asked.

    Attributes:
        rows: numbers in the split.
        answers: to these rows.
        usage: what they cost.
    """

    rows: tuple[int, ...]
    answers: RowAnswers
    usage: Usage

    def joined(self, later: "Asked") -> "Asked":
        """All that was asked, rows in the order of their numbers; a later answer to a row stands for an earlier one."""
        kept = [place for place, row in enumerate(self.rows) if row not in later.rows]
        rows = [*(self.rows[place] for place in kept), *later.rows]
        answers = self.answers.take(kept).joined(later.answers) if kept else later.answers
        order = sorted(range(len(rows)), key=rows.__getitem__)
        return Asked(tuple(rows[place] for place in order), answers.take(order), self.usage + later.usage)


def ask(
    backend: Backend, grader: Grader, prompts: Sequence[Prompt], split: Split, rows: Sequence[Sequence[int]]
) -> list[Asked]:
    """Ask each prompt for its rows. Prompts of one form that are asked the same rows share a call.

    Args:
        backend: has what the grader needs.
        grader: of the task.
        prompts: n of them.
        split: what the rows are numbers in.
        rows: the rows that each of the n prompts is asked.

    Raises:
        DataError: a prompt's own form is none for these rows.
        StoppedError: no further call is made; what was paid for is in the backend's journal, if it has one.
    """
    alike: dict[tuple[OwnForm, tuple[int, ...]], list[int]] = {}
    for number, (prompt, wanted) in enumerate(zip(prompts, rows, strict=True)):
        alike.setdefault((own_form(prompt), tuple(wanted)), []).append(number)
    asked: dict[int, Asked] = {}
    for (_, wanted), numbers in alike.items():
        together = [prompts[number] for number in numbers]
        formed = split.in_form_of(together[0])
        whole = wanted == tuple(range(len(split)))
        graded = (
            grader.ask(backend, together, formed if whole else formed.take(wanted))
            if wanted
            else [(grader.nothing(), Usage())] * len(together)
        )
        asked |= {number: Asked(wanted, *one) for number, one in zip(numbers, graded, strict=True)}
    return [asked[number] for number in range(len(prompts))]
