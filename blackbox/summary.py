"""The summary of a run: the figures that people and programs read first."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from blackbox.errors import DamagedFileError
from blackbox.evaluation import Evaluation
from blackbox.figures import Figure, figure_of
from blackbox.files import read_json, write_json
from blackbox.finishing.outcome import find, handed_out, over_templates, tokens_a_row
from blackbox.metrics import Measured
from blackbox.search import Search
from blackbox.spaces import WrittenSpace


@dataclass(frozen=True)
class Summary:
    """What a run found and what it cost.

    Attributes:
        status: "running", "succeeded", "interrupted" (by the user) or "failed".
        stop_reason: why the search ended; of a failed run, the error.
        evaluations: as the budget counts them.
        entries: evaluations of any split in the journal.
        requests: of a model behind an endpoint, all that were sent, those that failed included; of others, rows scored
            behind a prompt, all splits together.
        prompt_tokens, completion_tokens: over all requests.
        usd: over all requests; 0 for a local model.
        seconds: over all sessions of the run.
        train_loss: of the selected prompt on the training rows; None where none of them had an answer.
        dev: the metric of the selected prompt, as it was finished, on the dev rows.
        test_before, test_after: the metric of the starting and the selected prompt, as it was finished, on the test
            rows.
        dev_loss: of the selected prompt on the dev rows.
        test_loss_before, test_loss_after: of the starting and the selected prompt on the test rows.
        train_rows: training rows scored, those of all prompts together; of `train_rows_in_full` without a race.
        row_prompt_tokens, row_completion_tokens: of one row behind what was found: what it costs to use, from its test
            rows, else its dev rows; None where it was scored on neither.
        texts: different prompts among the candidates scored, where a model writes them for a space.
        refused: candidates that have no prompt, since what was written cannot be used.
        dev_over_templates, test_over_templates: mean over several templates of the metric in each alone; None without.
    """

    status: str
    stop_reason: str | None = None
    evaluations: int = 0
    entries: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0
    train_loss: float | None = None
    dev: Measured | None = None
    test_before: Measured | None = None
    test_after: Measured | None = None
    dev_loss: float | None = None
    test_loss_before: float | None = None
    test_loss_after: float | None = None
    train_rows: int = 0
    train_rows_in_full: int = 0
    row_prompt_tokens: float | None = None
    row_completion_tokens: float | None = None
    texts: int = 0
    refused: int = 0
    dev_over_templates: float | None = None
    test_over_templates: float | None = None

    @property
    def saved(self) -> float:
        """Share of the training rows of all prompts that races did without."""
        return 1 - self.train_rows / self.train_rows_in_full if self.train_rows_in_full else 0.0

    @property
    def dev_figure(self) -> Figure | None:
        """What the selected prompt is judged by on the dev rows: the metric, or the loss of a task that has none."""
        return figure_of(self.dev, self.dev_loss)

    @property
    def figure_before(self) -> Figure | None:
        """The same of the starting prompt on the test rows."""
        return figure_of(self.test_before, self.test_loss_before)

    @property
    def figure_after(self) -> Figure | None:
        """The same of the selected prompt on the test rows."""
        return figure_of(self.test_after, self.test_loss_after)

    def write(self, path: Path) -> None:
        """Write `summary.json`."""
        write_json(path, asdict(self))

    @classmethod
    def read(cls, path: Path) -> "Summary":
        """Read `summary.json`.

        Raises:
            RunError: there is none. DamagedFileError: it is not what was written.
        """
        values = read_json(path)
        try:
            for name in ("dev", "test_before", "test_after"):
                values[name] = Measured(**values[name]) if values[name] else None  # type: ignore[arg-type]
            return cls(**values)  # type: ignore[arg-type]
        except (KeyError, TypeError) as error:
            raise DamagedFileError(f"{path} is damaged: it is no summary of a run ({error})") from error


def summarize(search: Search, *, status: str, stop_reason: str | None = None) -> Summary:
    """The summary of a search as it stands."""
    history, chosen = search.history, search.selection.chosen
    usage = search.usage
    digest = chosen.evaluation.candidate if chosen else None
    train, dev = find(history, "train", digest), handed_out(history, digest)
    before = find(history, "test", history[0].candidate) if history else None
    after = find(history, "test", dev.candidate if dev else digest) if stop_reason else None
    row_prompt_tokens, row_completion_tokens = tokens_a_row(history, digest) or (None, None)
    on_train = [evaluation for evaluation in history if evaluation.split in ("train", "sample")]
    with_prompt = [evaluation for evaluation in on_train if evaluation.has_prompt]
    return Summary(
        status=status,
        stop_reason=stop_reason,
        evaluations=search.tally.spent,
        entries=len(history),
        requests=usage.requests,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        usd=usage.usd,
        seconds=search.elapsed,
        train_loss=_loss(train),
        dev=dev.measured if dev else None,
        test_before=before.measured if before else None,
        test_after=after.measured if after else None,
        dev_loss=_loss(dev),
        test_loss_before=_loss(before),
        test_loss_after=_loss(after),
        train_rows=sum(evaluation.rows for evaluation in on_train),
        train_rows_in_full=len(search.objective.task.train) * len(with_prompt),
        row_prompt_tokens=row_prompt_tokens,
        row_completion_tokens=row_completion_tokens,
        texts=_texts(search, with_prompt),
        refused=len(on_train) - len(with_prompt),
        **{f"{split}_over_templates": _over_templates(history, split) for split in ("dev", "test")},
    )


def _over_templates(history: tuple[Evaluation, ...], split: str) -> float | None:
    found = over_templates(history, split)
    return found.tried.mean_of_templates if found and found.tried else None


def _texts(search: Search, evaluations: Sequence[Evaluation]) -> int:
    """Different prompts of evaluations, where a model has written them for a space."""
    space = search.objective.space
    if not isinstance(space, WrittenSpace):
        return 0
    return len({space.written_for(evaluation.candidate) for evaluation in evaluations})


def _loss(evaluation: Evaluation | None) -> float | None:
    """JSON has no inf."""
    return evaluation.loss if evaluation and math.isfinite(evaluation.loss) else None
