"""The run folder: everything a run is made of, and everything it found, in files of plain formats.

config.json         the settings as resolved
task.json           the rows, template and label words, so that the run can be resumed wherever the data has gone
environment.json    versions, hashes of the model, the data and the space, and which parts were given as objects
label_words.json    the label words that were found, and what it took (`FoundWords`), where they were searched
evaluations.jsonl   the journal
checkpoint.json     the state of the search after its last generation
answers.sqlite      the answers of an endpoint, each paid for once (`blackbox journal` shows them)
proposals.jsonl     what a model has written for the search, before it is used
opening/            a start that was chosen and prompts of other runs, if the search begins with such (`Opening`)
tracker.NAME.json   what a tracker calls the run, and how far it has come
prompt/             the best prompt so far (`SavedPrompt`)
pruned/             the shorter prompt that `blackbox prune` has made of it, its figures and its journal
summary.json        `Summary`
curve.png           the learning curve
report.html         the report, one file
"""

import logging
import shlex
from collections.abc import Sequence
from pathlib import Path

from blackbox.backends import Backend
from blackbox.checkpoint import load_checkpoint, save_checkpoint
from blackbox.config import Config, make_config
from blackbox.environment import ENVIRONMENT, HASHES, changes, environment
from blackbox.errors import DamagedFileError, MismatchError, RunError, SettingError
from blackbox.evaluation import Evaluation
from blackbox.files import read_json, write_json
from blackbox.opening import NOTHING, Opening
from blackbox.report.curve import draw_curve
from blackbox.report.page import write_report
from blackbox.saved_prompt import SavedPrompt
from blackbox.spaces import PromptSpace
from blackbox.summary import Summary
from blackbox.task import Task
from blackbox.text_metrics import TextFunction
from blackbox.verbalizers.words import FoundWords

log = logging.getLogger(__name__)


class RunFolder:
    """Paths and contents of one run's folder."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @property
    def name(self) -> str:
        return self.path.resolve().name

    @property
    def journal(self) -> Path:
        return self.path / "evaluations.jsonl"

    @property
    def answers(self) -> Path:
        return self.path / "answers.sqlite"

    @property
    def proposals(self) -> Path:
        return self.path / "proposals.jsonl"

    @property
    def opening(self) -> Path:
        return self.path / "opening"

    @property
    def prompt(self) -> Path:
        return self.path / "prompt"

    @property
    def pruned(self) -> Path:
        return self.path / "pruned"

    @property
    def curve(self) -> Path:
        return self.path / "curve.png"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    @property
    def holds_run(self) -> bool:
        """Whether a run was begun here."""
        return (self.path / "config.json").exists()

    def check_free(self) -> None:
        """Refuse a folder that is taken.

        Raises:
            RunError: the folder holds a run already.
        """
        if self.holds_run:
            raise RunError(
                f"{self.path} holds a run already; go on with `blackbox resume {shlex.quote(str(self.path))}`, "
                "choose another --name, or delete the folder"
            )

    @property
    def found_words(self) -> Path:
        return self.path / "label_words.json"

    def create(
        self,
        config: Config,
        task: Task,
        backend: Backend,
        space: PromptSpace,
        *,
        given: Sequence[str] = (),
        found: FoundWords | None = None,
        opening: Opening = NOTHING,
    ) -> None:
        """Write down what the run is; `given` names the parts that were given as objects.

        Raises:
            RunError: the folder holds a run already.
        """
        self.check_free()
        write_json(self.path / "task.json", task.to_dict())
        write_json(self.path / "environment.json", {**environment(task, backend, space), "given": list(given)})
        if found:
            write_json(self.found_words, found.to_dict())
        opening.save(self.opening)
        self.write_summary(Summary("running"))
        write_json(self.path / "config.json", config.model_dump())  # last: what has it is a run

    def read_config(self) -> Config:
        """The settings of the run.

        Raises:
            RunError: the folder holds no run. DamagedFileError: the file is not what was written.
        """
        if not self.holds_run:
            raise RunError(f"{self.path} holds no run: there is no config.json in it")
        path = self.path / "config.json"
        values = read_json(path)
        _check_keys(path, values, set(Config.model_fields))
        try:
            return make_config(values)
        except SettingError as error:
            raise DamagedFileError(f"{path} is damaged: {error}") from error

    def read_task(self, *, metric: TextFunction | None = None) -> Task:
        """The task of the run; `metric` is the function that it was given, if it was.

        Raises:
            RunError: there is none. DamagedFileError: the file is not what was written.
        """
        path = self.path / "task.json"
        values = read_json(path)
        try:
            return Task.from_dict(values if metric is None else {**values, "metric": metric})
        except (TypeError, ValueError, AttributeError) as error:
            raise DamagedFileError(f"{path} is damaged: it holds no task ({error})") from error

    def read_found_words(self) -> FoundWords:
        """The label words that were found.

        Raises:
            RunError: there are none. DamagedFileError: the file is not what was written.
        """
        try:
            return FoundWords.from_dict(read_json(self.found_words))
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedFileError(f"{self.found_words} is damaged: it holds no label words ({error})") from error

    def read_environment(self) -> dict[str, object]:
        """Versions and hashes as of the run's start.

        Raises:
            RunError: there are none. DamagedFileError: the file is not what was written.
        """
        path = self.path / "environment.json"
        values = read_json(path)
        _check_keys(path, values, {*ENVIRONMENT, "given"})
        return values

    def check_given(self, given: Sequence[str]) -> None:
        """Refuse to go on without the objects that the run was started with; `given` names those that are at hand.

        Raises:
            RunError: one is missing.
        """
        for part in sorted(set(_names(self.read_environment()["given"])) - set(given)):
            raise RunError(f"{self.path}: this run was started with a {part} object; give it to resume() again")

    def check_environment(self, task: Task, backend: Backend, space: PromptSpace) -> None:
        """Refuse to go on with another model, space or other data; warn of other versions.

        Raises:
            MismatchError: the model's weights, the rows or the space are not those that the run began with.
        """
        then, now = self.read_environment(), environment(task, backend, space)
        for key in HASHES:
            if then[key] != now[key]:
                raise MismatchError(
                    f"{self.path} began with another {key.replace('_', ' ')}: {then[key]}, now {now[key]}"
                )
        if changed := changes(then, now):
            text = "%s began with other versions (%s); its results may differ from an unbroken run's"
            log.warning(text, self.path, ", ".join(changed))

    def save_checkpoint(self, state: dict[str, object]) -> None:
        """Replace the checkpoint."""
        save_checkpoint(self.path / "checkpoint.json", state)

    def load_checkpoint(self) -> dict[str, object] | None:
        """The checkpoint's state; None before the first generation."""
        return load_checkpoint(self.path / "checkpoint.json")

    def write_summary(self, summary: Summary) -> None:
        """Replace the summary."""
        summary.write(self.path / "summary.json")

    def read_summary(self) -> Summary:
        """The summary as of the last save."""
        return Summary.read(self.path / "summary.json")

    def write_report(self, summary: Summary, history: Sequence[Evaluation]) -> None:
        """Draw the learning curve and write the report."""
        task = read_json(self.path / "task.json")
        weighted = ", classes weighted" if "class_weights" in task else ""
        drawn = draw_curve(history, self.curve, loss_label=f"training loss ({task['loss']}{weighted})")
        write_report(
            self.report,
            name=self.name,
            summary=summary,
            config=self._settings_in_use(),
            environment=self.read_environment(),
            history=history,
            curve=self.curve.read_bytes() if drawn else None,
        )

    def _settings_in_use(self) -> dict[str, object]:
        """The settings, with the label words that were found in the place of the given ones."""
        settings: dict[str, object] = self.read_config().model_dump()
        if self.found_words.exists():
            found = self.read_found_words()
            settings["label_words"] = dict(zip(self.read_task().labels, found.words, strict=True))
        return settings

    def read_prompt(self) -> SavedPrompt:
        """The best prompt so far."""
        return SavedPrompt.load(self.prompt)


def _check_keys(path: Path, values: dict[str, object], expected: set[str]) -> None:
    if missing := sorted(expected - values.keys()):
        raise DamagedFileError(f"{path} is damaged: it has no {missing[0]!r}")
    if unknown := sorted(values.keys() - expected):
        raise DamagedFileError(f"{path} is damaged: it has {unknown[0]!r}, which is unknown")


def _names(value: object) -> list[str]:
    return [str(name) for name in value] if isinstance(value, list) else []
