"""Pruning of the prompt that a run has found: `blackbox prune RUN`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from blackbox.backends import Backend, Prompt
from blackbox.build import make_backend
from blackbox.config import LIMITS, Config
from blackbox.errors import BudgetError, RunError, SettingError
from blackbox.evaluation import Evaluation
from blackbox.figures import Figure
from blackbox.files import unwritable, write_json
from blackbox.finishing.outcome import serving
from blackbox.journal import Journal
from blackbox.paired import Comparison, compare
from blackbox.pruning.ablation import Step, ablate
from blackbox.pruning.asking import Account
from blackbox.pruning.parts import levels_of
from blackbox.run_folder import RunFolder
from blackbox.saved_prompt import SavedPrompt
from blackbox.task import Task
from blackbox.text_metrics import TextFunction
from blackbox.verbalizers.named_readouts import name_of
from blackbox.verbalizers.readout import Readout
from blackbox.verbalizers.setting import SEARCH, with_words

EVALUATIONS, TOLERANCE = 300, 0.01


@dataclass(frozen=True)
class Weighed:
    """A prompt before or after it was pruned.

    Attributes:
        parts: how many there are of each kind: {"tokens": 14, "layers": 15}.
        train_loss: on the training rows.
        dev: the figure on the dev rows; None without dev rows.
        row_prompt_tokens: prompt tokens of one row behind it; None where that is not known.
    """

    parts: Mapping[str, int]
    train_loss: float
    dev: Figure | None
    row_prompt_tokens: float | None


@dataclass(frozen=True, eq=False)
class Pruned:
    """What pruning has made of a prompt.

    Attributes:
        saved: the shorter prompt; it stands in the run's folder under `pruned`.
        before, after: figures.
        dev_change: of the scores of the dev rows, the shorter prompt less the whole one, row by row; None without them.
        evaluations: that were spent.
    """

    saved: SavedPrompt
    before: Weighed
    after: Weighed
    dev_change: Comparison | None
    evaluations: int


def prune(
    run: str | Path,
    *,
    evaluations: int = EVALUATIONS,
    tolerance: float = TOLERANCE,
    backend: Backend | None = None,
    metric: TextFunction | None = None,
) -> Pruned:
    """Take out of a run's prompt what it can do without, while its dev score is not worse.

    What is found stands in RUN/pruned: `prompt.json` and its vectors, `pruned.json` with the figures, and the journal
    of the answers, from which a call that was stopped goes on. A larger budget goes on, too.

    Args:
        run: the run's folder.
        evaluations: the budget: prompts scored on the training rows; a look at the dev rows counts by its share.
        tolerance: how much higher the dev loss may be (without dev rows the training loss), nats, where the metric is
            no worse; a large one leaves it to the metric.
        backend: the object that the run was given, if it was.
        metric: the function that the run's task was given, if it was.

    Raises:
        RunError: the folder holds no run, or the run hands out an average of several prompts.
        MismatchError: RUN/pruned holds the journal of another prompt.
        BudgetError: the budget ends before the parts of the prompt are weighed once.
    """
    folder = RunFolder(run)
    config = folder.read_config()
    folder.check_given([name for name, given in (("backend", backend), ("metric", metric)) if given is not None])
    saved = folder.read_prompt()
    if saved.finished.members:
        raise RunError(f"{folder.path} hands out an average of {len(saved.finished.members)} prompts; one is pruned")
    levels_of(saved.prompt)
    task = _task(folder, config, metric, saved.readout)
    model = backend or make_backend(_settings(folder, config))
    saved.check(model)
    with Journal(_journal_in(folder.pruned)) as journal:
        account = Account(task, model, saved.finished, saved.prompt, evaluations, journal, config.slice_size, tolerance)
        _check_budget(account)
        first, last = ablate(account)
        change = _dev_change(account, first, last) if last is not first and len(task.dev) else None
    scores = _scores(last)
    shorter = SavedPrompt.of(last.prompt, backend=model, task=task, scores=scores, finished=saved.finished)
    found = Pruned(shorter, _weighed(first), _weighed(last), change, account.spent)
    shorter.save(folder.pruned)
    write_json(folder.pruned / "pruned.json", _told(found))
    return found


def _journal_in(folder: Path) -> Path:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error, again="`blackbox prune` again") from error
    return folder / "evaluations.jsonl"


def _task(folder: RunFolder, config: Config, metric: TextFunction | None, readout: Readout | None) -> Task:
    task = folder.read_task(metric=metric)
    task = task.changed(verbalizer=name_of(readout)) if readout else task
    return with_words(task, folder.read_found_words() if config.verbalizer == SEARCH else None)


def _settings(folder: RunFolder, config: Config) -> Config:
    """The run's, with the precision that its looks at the dev rows had, and without its limits."""
    from blackbox.endpoints import answers_file

    free: dict[str, Any] = dict.fromkeys(LIMITS)
    exact = {"dtype": "float32"} if config.elites else {}
    return config.model_copy(update={**free, **exact, "answers": str(answers_file(config, folder.answers))})


def _check_budget(account: Account) -> None:
    prompt = account.first
    parts = max(level.count(prompt) for level in levels_of(prompt))
    if account.evaluations < 1:
        raise SettingError(f"evaluations must be at least 1, got {account.evaluations}")
    if not account.tolerance >= 0:
        raise SettingError(f"tolerance must not be negative, got {account.tolerance}")
    if not account.allows(2 + parts, account.task.train):
        raise BudgetError(
            f"a budget of {account.evaluations} evaluations ends before {parts} parts of the prompt are weighed once"
        )


def _dev_change(account: Account, first: Step, last: Step) -> Comparison:
    """Both prompts are asked the dev rows once more: the journal has no scores of rows."""
    rows, dev = range(len(account.task.dev)), account.task.dev

    def scores(prompt: Prompt) -> Any:
        if account.finished:
            return account.finished.answers(account.backend, account.task.grader, prompt, dev, rows)[0].scores
        return account.task.grader.ask(account.backend, [prompt], dev.in_form_of(prompt))[0][0].scores

    return compare(scores(last.prompt), scores(first.prompt))


def _weighed(step: Step) -> Weighed:
    parts = {level.name: level.count(step.prompt) for level in levels_of(step.prompt)}
    cost = serving(step.dev or step.train)
    return Weighed(parts, step.train.loss, step.dev.figure if step.dev else None, cost[0] if cost else None)


def _scores(step: Step) -> dict[str, object]:
    dev: Evaluation | None = step.dev
    return {
        "train_loss": step.train.loss,
        "dev": dev.measured and vars(dev.measured) if dev else None,
        "dev_loss": dev.loss if dev else None,
    }


def _told(found: Pruned) -> dict[str, object]:
    def side(one: Weighed) -> dict[str, object]:
        return {**asdict(replace(one, dev=None)), "dev": one.dev.to_dict() if one.dev else None}

    change = asdict(found.dev_change) if found.dev_change else None
    return {
        "before": side(found.before),
        "after": side(found.after),
        "dev_change": change,
        "evaluations": found.evaluations,
    }
