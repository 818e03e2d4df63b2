"""The record of one candidate scored on one split: what the journal holds and the history is made of."""

import hashlib
from dataclasses import asdict, dataclass, fields

import numpy as np
import numpy.typing as npt

from blackbox.backends import Usage
from blackbox.figures import Figure, figure_of
from blackbox.metrics import Measured
from blackbox.tried import Tried

_RARE: dict[str, object] = {"shown_rows": 0, "row_losses": None, "prompt": None, "tried": None}
_FACTS = ("number", "split", "generation", "block", "candidate", "loss", "measured")


@dataclass(frozen=True)
class Evaluation:
    """One candidate scored on the rows of one split.

    Attributes:
        number: position in the run's sequence of evaluations of any split, from 0.
        split: "train", "dev" or "test"; "sample" of training rows, all or some, that only the optimizer is told of.
        generation: 0 for the starting prompt, then the generation that asked for it.
        block: the block that a blockwise search was changing, if any.
        candidate: digest of the candidate.
        loss: the task's loss; inf where no row could be scored.
        measured: the task's metric with its interval, None where no row could be scored and for tasks without one.
        rows: of the split; fewer where a race did not need all of them, or the prompt shows some.
        failed_rows: those without an answer.
        usage: what it cost; of answers that were paid for earlier, what they cost then.
        elapsed: seconds since the run began, over all its sessions.
        unreadable_rows: those that were answered with none of the label words: wrong, and counted apart.
        shown_rows: training rows that the prompt shows with their answers, which it was not asked.
        row_losses: the loss of each row of the training split, None where it was not asked or has no answer; None
            altogether where the optimizer does not learn from rows.
        prompt: a text prompt on the training rows, as `text_prompts.prompt_to_dict` writes it; None for others.
        tried: what was tried after the search, and `candidate` is the digest of; None for a candidate.
    """

    number: int
    split: str
    generation: int
    block: int | None
    candidate: str
    loss: float
    measured: Measured | None
    rows: int
    failed_rows: int
    usage: Usage
    elapsed: float
    unreadable_rows: int = 0
    shown_rows: int = 0
    row_losses: tuple[float | None, ...] | None = None
    prompt: dict[str, object] | None = None
    tried: Tried | None = None

    @property
    def figure(self) -> Figure | None:
        """What the prompt is judged by on these rows; None where no row could be scored."""
        return figure_of(self.measured, self.loss, rows=self.rows - self.failed_rows)

    @property
    def has_prompt(self) -> bool:
        """Whether the candidate has a prompt: one without meets no row."""
        return self.rows + self.shown_rows > 0

    @property
    def facts(self) -> tuple[object, ...]:
        """What two runs with the same seed agree in: everything but time and cost."""
        return tuple(getattr(self, name) for name in _FACTS)

    def to_dict(self) -> dict[str, object]:
        """JSON values, without what few evaluations have; `from_dict` makes the evaluation again."""
        values = asdict(self)
        for name, nothing in _RARE.items():
            if values[name] == nothing:
                del values[name]
        if self.tried:
            values["tried"] = self.tried.to_dict()
        return values

    @classmethod
    def from_dict(cls, values: dict[str, object]) -> "Evaluation":
        """The evaluation that `to_dict` wrote.

        Raises:
            KeyError, TypeError: the values are not those of an evaluation.
        """
        values = {**_RARE, **values}
        parts = {field.name: values[field.name] for field in fields(cls)}
        parts["usage"] = Usage(**parts["usage"])  # type: ignore[arg-type]
        if parts["measured"] is not None:
            parts["measured"] = Measured(**parts["measured"])  # type: ignore[arg-type]
        if parts["row_losses"] is not None:
            parts["row_losses"] = tuple(parts["row_losses"])  # type: ignore[arg-type]
        if parts["tried"] is not None:
            parts["tried"] = Tried.from_dict(parts["tried"])  # type: ignore[arg-type]
        return cls(**parts)  # type: ignore[arg-type]


def candidate_digest(candidate: npt.NDArray[np.float64]) -> str:
    """Sixteen hexadecimal digits of SHA-256 over the candidate's numbers."""
    return hashlib.sha256(np.ascontiguousarray(candidate, dtype="<f8").tobytes()).hexdigest()[:16]
