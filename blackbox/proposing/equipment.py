"""Gives an optimizer that asks for new instructions what it needs for it."""

from collections.abc import Iterator, Sequence

from blackbox.backends import Backend, GeneratingBackend
from blackbox.config import Config
from blackbox.kept import Kept
from blackbox.optimizers import Optimizer, TakesProposals
from blackbox.proposing.answering import Answering
from blackbox.proposing.checks import Checks
from blackbox.proposing.copying import Copies
from blackbox.proposing.meta_prompts import about
from blackbox.proposing.proposer import ModelProposer
from blackbox.proposing.writers import make_writer
from blackbox.spaces import ChoicesSpace, PromptSpace
from blackbox.task import Task


def equip(
    optimizer: Optimizer, space: PromptSpace, task: Task, backend: Backend, config: Config, *, kept: Kept
) -> Backend | None:
    """Let an optimizer that takes proposals have them from a model, if the space has instructions to add to.

    Args:
        kept: has what was proposed before.

    Returns:
        The model that writes; None where nobody does.

    Raises:
        SettingError, BackendError: as of `make_writer`.
    """
    if not isinstance(optimizer, TakesProposals) or not isinstance(space, ChoicesSpace):
        return None
    writer = make_writer(config, backend)
    proposer = None if writer is None else make_proposer(writer, space, task, backend, config, kept=kept)
    optimizer.take_proposals(proposer, space.meaning)
    return writer


def make_proposer(
    writer: GeneratingBackend, space: ChoicesSpace, task: Task, backend: Backend, config: Config, *, kept: Kept
) -> ModelProposer:
    """The proposer of a run: `writer` writes, `backend` is the model that the instructions are for."""
    return ModelProposer(
        writer,
        space,
        answering=Answering(backend, task),
        checks=make_checks(task, space.instructions, config),
        about=about(list(dict.fromkeys(task.template.fields)), words_of(task)),
        tokens=config.proposal_tokens,
        kept=kept,
    )


def make_checks(task: Task, given: Sequence[str], config: Config) -> Checks:
    """The checks of new instructions, which may quote the `given` ones and the label words."""
    labels = words_of(task)
    copies = Copies(_without_labels(task), [*given, *labels, ", ".join(labels)])
    return Checks(copies, labels or _targets(task), longest=config.proposal_length)


def words_of(task: Task) -> Sequence[str]:
    """The label words; none of a task with targets."""
    return task.train.queries[0].options if task.labels else ()


def _targets(task: Task) -> Iterator[str]:
    """All that is right somewhere in the training rows."""
    for query, accepted in zip(task.train.queries, task.train.accepted, strict=True):
        yield from (*query.options, *accepted)


def _without_labels(task: Task) -> Sequence[Sequence[str]]:
    """The texts of each training row; a field may have a list of them."""
    label = task.terms["label_field"] if task.labels else None
    fields = [[value for key, value in row.items() if key != label] for row in task.train.rows]
    return [[str(text) for value in row for text in (value if isinstance(value, list) else [value])] for row in fields]
