"""Prompt spaces by name. The built-in ones are registered here as a stranger's would be."""

from pathlib import Path

from blackbox.backends import Backend, Capability, require
from blackbox.config import Config
from blackbox.errors import SettingError
from blackbox.named_vector_spaces import OPENED, soft_behind
from blackbox.opening import NOTHING, Opening, asks_for_opening, make_opening, read_opening
from blackbox.proposing.equipment import make_checks
from blackbox.proposing.inducing import Inducer
from blackbox.proposing.meta_prompts import INDUCTION
from blackbox.proposing.writers import make_vector_writer
from blackbox.registry import SPACES
from blackbox.seeds import part_seed
from blackbox.spaces import ChoicesSpace, ProjectedInstructionSpace, PromptSpace, TextsSpace
from blackbox.spaces.general import GENERAL_FOR_LABELS, GENERAL_FOR_TARGETS, label_words_of, sample_of_rows
from blackbox.spaces.start import repeated
from blackbox.task import Task
from blackbox.text_prompts import instructions, text_prompts


def make_space(backend: Backend, task: Task, config: Config, opening: Opening = NOTHING) -> PromptSpace:
    """The prompt space that the settings name."""
    if opening is NOTHING:
        return SPACES.get(config.space)(backend, task, config)
    return OPENED[config.space](backend, task, config, opening)


def opening_of(backend: Backend, task: Task, config: Config, kept: Path | None = None) -> Opening:
    """The opening that the settings name; one that was kept in a folder is read from there.

    Raises:
        SettingError, BudgetError, MismatchError, RunError: as of `make_opening`, and a space that takes none.
    """
    if not asks_for_opening(config):
        return NOTHING
    if config.space not in OPENED:
        raise SettingError(
            f"space {config.space!r} begins with no prompts of other runs and chooses no start; those that do: "
            f"{', '.join(OPENED)}"
        )
    return read_opening(kept) or make_opening(backend, task, config)


def _texts(backend: Backend, task: Task, config: Config) -> TextsSpace:
    require(backend, Capability.TEXT)
    return TextsSpace(text_prompts(config.prompts, role=config.role))


def _choices(backend: Backend, task: Task, config: Config) -> ChoicesSpace:
    require(backend, Capability.TEXT)
    general = GENERAL_FOR_LABELS if task.labels else GENERAL_FOR_TARGETS
    return ChoicesSpace(
        task,
        instructions(config.instructions, start=config.prompt, general=general),
        demonstrations=config.demonstrations,
        pool=sample_of_rows(task.train.labels[: task.n_given], config.shown_from, seed=part_seed(config.seed, "shown")),
        words=[label_words_of(words, task.labels) for words in config.words],
        role=config.role,
    )


def _projected(backend: Backend, task: Task, config: Config) -> ProjectedInstructionSpace:
    require(backend, Capability.TEXT)
    writer = make_vector_writer(config, backend)
    tokens = repeated(writer.encode(INDUCTION), config.prompt_tokens, what="instruction")
    rows = sample_of_rows(task.train.labels[: task.n_given], config.proposal_rows, seed=part_seed(config.seed, "shown"))
    checks = make_checks(task, [config.prompt] if config.prompt else [], config)
    inducer = Inducer(writer, task, rows, checks=checks, tokens=config.proposal_tokens)
    vectors = soft_behind(writer, tokens, task, config)
    return ProjectedInstructionSpace(vectors, inducer, source=inducer.source, start=config.prompt, role=config.role)


SPACES.add("choices", _choices)
SPACES.add("projected-instruction", _projected)
SPACES.add("texts", _texts)
