"""What each generation is scored on, and what of it takes part in the selection."""

from blackbox.budget import price_of_generation
from blackbox.config import Config
from blackbox.errors import SettingError
from blackbox.objective import OF_VECTORS
from blackbox.optimizers import Islands, Optimizer
from blackbox.row_samples import RowSamples
from blackbox.seeds import part_seed
from blackbox.spaces import PromptSpace
from blackbox.task import Task


def row_samples(config: Config, task: Task) -> RowSamples | None:
    """The rows of each generation; None: all training rows."""
    if config.rows_per_generation is None:
        return None
    return RowSamples(task.train, config.rows_per_generation, part_seed(config.seed, "rows"))


def generation_price(config: Config, task: Task, optimizer: Optimizer) -> int:
    """What a generation counts at most, without its looks at the dev rows."""
    sample, again = config.rows_per_generation, config.select == "mean" or config.rows_per_generation is not None
    return price_of_generation(task, optimizer.population_size, sample=sample, again=again)


def check_selecting(config: Config, task: Task, space: PromptSpace, optimizer: Optimizer) -> None:
    """Refuse a selection that the parts cannot make.

    Raises:
        SettingError: a mean that the optimizer has not, samples as large as the training rows, or either of them with a
            space of texts, a race, or an optimizer that would compare losses on different rows.
    """
    if config.select == "mean" and optimizer.mean is None:
        raise SettingError(
            "select = mean needs an optimizer with a mean (cma-es, es, zo-adam, spsa or blockwise of one of them), "
            f"got {config.optimizer}"
        )
    asked = [name for name in ("select", "rows_per_generation") if getattr(config, name) not in ("best", None)]
    if asked and not (isinstance(space, OF_VECTORS) and config.racing != "on"):
        raise SettingError(f"{asked[0]} is for spaces of vectors without a race, got {config.space}, {config.racing}")
    size = config.rows_per_generation
    if size is not None and size >= len(task.train):
        raise SettingError(f"rows_per_generation must be fewer than the {len(task.train)} training rows, got {size}")
    if size is not None and isinstance(optimizer, Islands):
        raise SettingError("rows_per_generation gives each generation other rows, and islands compare their losses")
