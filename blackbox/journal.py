"""The journal: every paid answer is written down before it is used.

One JSON object a line, flushed to the disk. A kill loses at most the call in flight; a last line that was torn by it is
cut off. A resumed run reads its answers here and pays for none of them twice. One process at a time holds it: the lock
is the kernel's, which releases it however the process ends.
"""

import json
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from types import TracebackType

from blackbox.errors import DamagedFileError, MismatchError
from blackbox.evaluation import Evaluation
from blackbox.lines import append_lines, open_lines, read_lines
from blackbox.locks import lock


class Journal:
    """The evaluations of a run, in memory and, where a path is given, in a file.

    Args:
        path: the file; it is made where there is none. None keeps the evaluations in memory only.

    Raises:
        RunError: another process holds the journal, or it cannot be written.
        DamagedFileError: a line other than the last is no evaluation.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._evaluations: list[Evaluation] = []
        self._file: FileIO | None = None
        if path:
            self._file = open_lines(path)
            lock(self._file, path, what="run")
            try:
                self._evaluations = _read(path)
            except DamagedFileError:
                self._file.close()
                raise

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file:
            self._file.close()

    def __len__(self) -> int:
        return len(self._evaluations)

    def __getitem__(self, number: int) -> Evaluation:
        return self._evaluations[number]

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """All evaluations so far, by number."""
        return tuple(self._evaluations)

    @property
    def elapsed(self) -> float:
        """Seconds from the run's beginning to the last evaluation."""
        return self._evaluations[-1].elapsed if self._evaluations else 0.0

    def find(self, number: int, *, candidate: str) -> Evaluation | None:
        """The evaluation of a number, if it has been paid for.

        Raises:
            MismatchError: it is of another candidate: the run cannot be what wrote the journal.
        """
        if number >= len(self._evaluations):
            return None
        known = self._evaluations[number]
        if known.candidate != candidate:
            raise MismatchError(
                f"evaluation {number} of the journal is of candidate {known.candidate}, this run asks for {candidate}; "
                "the journal was written by other versions or on another kind of machine"
            )
        return known

    def append(self, evaluations: Sequence[Evaluation]) -> list[Evaluation]:
        """Write evaluations down, those with the next numbers; one whose number is known already is not replaced.

        Returns:
            The evaluations of these numbers as they stand now.

        Raises:
            RunError: they cannot be written.
        """
        new = [evaluation for evaluation in evaluations if evaluation.number >= len(self._evaluations)]
        if self._file and self._path and new:
            append_lines(self._file, self._path, [json.dumps(evaluation.to_dict()) for evaluation in new])
        self._evaluations.extend(new)
        return [self._evaluations[evaluation.number] for evaluation in evaluations]


def _read(path: Path) -> list[Evaluation]:
    evaluations: list[Evaluation] = []
    for number, line in enumerate(read_lines(path)):
        try:
            evaluation = Evaluation.from_dict(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedFileError(f"{path} line {number + 1} is no evaluation; restore the file") from error
        if evaluation.number != number:
            raise DamagedFileError(f"{path} line {number + 1} holds evaluation {evaluation.number}, not {number}")
        evaluations.append(evaluation)
    return evaluations
