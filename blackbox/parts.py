"""The parts of a run, made and checked before anything is spent."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blackbox.backends import Backend, Capability, require
from blackbox.budget import Budget, price_of_start
from blackbox.build import (
    check_elites,
    check_names,
    check_template,
    make_backend,
    make_exact_backend,
)
from blackbox.config import Config
from blackbox.data import load_task
from blackbox.domains import check_fit, domain_of
from blackbox.errors import SettingError
from blackbox.finishing.plan import Plan
from blackbox.graders import LikelihoodGrader
from blackbox.kept import Kept
from blackbox.make_executor import check_executor
from blackbox.named_optimizers import make_optimizer
from blackbox.named_spaces import make_space, opening_of
from blackbox.opening import NOTHING, Opening
from blackbox.optimizers import Optimizer
from blackbox.proposing import equip
from blackbox.seeds import part_seed
from blackbox.selecting import check_selecting, generation_price
from blackbox.spaces import ChoicesSpace, ProjectedInstructionSpace, PromptSpace, TextsSpace, WrittenSpace, prompt_of
from blackbox.task import Task
from blackbox.text_prompts import instructions, prompt_to_dict, text_prompts
from blackbox.verbalizers.named_readouts import READOUTS
from blackbox.verbalizers.setting import SEARCH, check_at_hand, with_readout, with_words
from blackbox.verbalizers.words import FoundWords, find_words, most_evaluations


@dataclass(frozen=True, eq=False)
class Parts:
    """What a run is made of. Parts that are given as objects must be given again when the run is resumed."""

    config: Config
    task: Task
    backend: Backend
    space: PromptSpace
    optimizer: Optimizer
    exact: Backend | None = None  # of the same model in float32, where elites are scored again
    writer: Backend | None = None  # of the model that writes new instructions, if the optimizer asks for some
    found: FoundWords | None = None  # the label words, where they were searched
    given: Task | None = None  # the task as it was given, before words were found or a readout took their place
    opening: Opening = NOTHING  # what the space begins with


def make_parts(
    config: Config,
    task: Task | None = None,
    *,
    backend: Backend | str | None = None,
    space: PromptSpace | str | None = None,
    optimizer: Optimizer | str | None = None,
    answers: Path | None = None,
    proposals: Path | None = None,
    found: FoundWords | None = None,
    opening: Path | None = None,
) -> Parts:
    """The parts of a run: those that are given as objects, and the settings' own for the rest.

    The settings of the task in `Parts.config` are the task's own, also where it was built in code, and prompts that
    stand in a file are read. `answers` is where paid answers are kept if the settings do not say, `proposals` where
    what a model proposes is kept. `found` are the label words that the run has found before, if it has, `opening` is
    the folder of its opening.

    Raises:
        BlackboxError, BackendError, OptimizerError: parts that cannot work, alone or together.
    """
    check_executor(config)
    config, given = read_files(config, task)
    task = with_readout(config, given)
    check_elites(config, backend, optimizer)
    keeping = config.model_copy(update={"answers": config.answers or (answers and str(answers))})
    if backend is None or isinstance(backend, str):
        backend = make_backend(keeping)
    check_at_hand(config, backend)
    plan = Plan.of(config)
    needed = [Capability.GENERATE] * bool(task.grader.writing)
    needed += [READOUTS[plan.readout].reads] if plan.readout else []
    require(backend, task.grader.needs, *needed)
    check_template(backend, task.template)
    opened, by_name = NOTHING, space is None or isinstance(space, str)
    if space is None or isinstance(space, str):
        opened = opening_of(backend, task, config, opening)
        space = make_space(backend, task, config, opened)
    if isinstance(space, TextsSpace):
        for prompt in space.prompts:
            task.check_prompt(prompt)
            check_template(backend, task.form.of(prompt).template)
    if config.verbalizer == SEARCH:
        if found is None:
            Budget(config.evaluations).check_start(most_evaluations())
            found = find_words(backend, task, prompt_of(space, np.zeros(space.dimension)))
        task = with_words(task, found)
        space = make_space(backend, task, config, opened) if by_name else space
    domain = domain_of(space)
    if optimizer is None or isinstance(optimizer, str):
        optimizer = make_optimizer(config.optimizer, domain, config, part_seed(config.seed, "optimizer"))
    check_fit(optimizer, domain)
    kept = Kept(proposals)
    if isinstance(space, ProjectedInstructionSpace):
        space.kept = kept
    writer = equip(optimizer, space, task, backend, keeping, kept=kept)
    plan.check(task, space)
    looks = config.finalists if races(config, space) else 1
    check_selecting(config, task, space, optimizer)
    price = price_of_start(task, generation_price(config, task, optimizer), looks) + plan.price(task)
    price += opened.evaluations + (found.evaluations if found else 0)
    Budget(config.evaluations, config.seconds).check_start(price)
    exact = make_exact_backend(config, backend)
    return Parts(config, task, backend, space, optimizer, exact, writer, found=found, given=given, opening=opened)


def read_files(config: Config, task: Task | None = None) -> tuple[Config, Task]:
    """The settings as a run folder keeps them, and the task, with all that stands in files; no model is needed.

    Raises:
        BlackboxError: names that nothing has, or files, rows or prompts that are not as they must be.
    """
    check_names(config)
    task = task or load_task(config)
    task.grader.check_goal(config.target)
    if config.target is not None and isinstance(task.grader, LikelihoodGrader) and not len(task.dev):
        raise SettingError("setting 'target': needs dev rows: the model writes nothing to training rows")
    return config.model_copy(update={**task.terms, **_prompts(config)}), task


def races(config: Config, space: PromptSpace) -> bool:
    """Whether the candidates of a generation race on the training rows."""
    of_texts = isinstance(space, TextsSpace | ChoicesSpace | WrittenSpace)
    return config.racing == "on" or (config.racing == "auto" and of_texts)


def _prompts(config: Config) -> dict[str, object]:
    """What stands in files: a run folder holds all of it."""
    read: dict[str, object] = {}
    if config.prompts is not None:
        read["prompts"] = [prompt_to_dict(prompt) for prompt in text_prompts(config.prompts, role=config.role)]
    if config.instructions is not None:
        read["instructions"] = instructions(config.instructions, start=config.prompt, general=())
    return read
