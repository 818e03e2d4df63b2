"""Optimizers by name. The built-in ones are registered here as a stranger's would be."""

from blackbox import choice_optimizers, number_optimizers
from blackbox.config import Config
from blackbox.domains import dimension_of
from blackbox.errors import UnfitOptimizerError
from blackbox.optimizers import Blockwise, Domain, Islands, Optimizer
from blackbox.registry import OPTIMIZERS


def make_optimizer(name: str, domain: Domain, config: Config, seed: int) -> Optimizer:
    """The optimizer of a name such as "cma-es", "nevergrad:TwoPointsDE" or "blockwise:cma-es".

    Raises:
        UnknownNameError: nothing has the name.
        UnfitOptimizerError: an optimizer of numbers for choices, or the other way round.
    """
    first, _, variant = name.partition(":")
    return OPTIMIZERS.get(first)(variant, domain, config, seed)


def check_optimizer_name(config: Config) -> None:
    """Refuse a name or variant that nothing has, whatever the space turns out to be.

    Raises:
        UnknownNameError: of the optimizer or a variant of it.
    """
    try:
        make_optimizer(config.optimizer, Domain((2, 2), shapes=((2, 1), (2, 1))), config, seed=0)
    except UnfitOptimizerError:
        make_optimizer(config.optimizer, Domain((1, 1), sizes=(2, 2)), config, seed=0)


def _blockwise(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
    dimension_of("blockwise", domain)
    share = max(config.population, config.evaluations // max(1, len(domain.blocks)))
    of_a_block = config.model_copy(update={"evaluations": share})

    shapes = dict(zip(domain.blocks, domain.shapes or (), strict=domain.shapes is not None))

    def inner(dimension: int, child_seed: int) -> Optimizer:
        shape = (shapes[dimension],) if shapes else None
        return make_optimizer(variant or "cma-es", Domain((dimension,), shapes=shape), of_a_block, child_seed)

    return Blockwise(
        domain.blocks,
        make=inner,
        schedule=config.schedule,
        reevaluate=config.rows_per_generation is not None,
        seed=seed,
    )


def _islands(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
    dimension_of("islands", domain)

    def inner(population_size: int, child_seed: int) -> Optimizer:
        of_an_island = config.model_copy(
            update={"population": population_size, "evaluations": max(1, config.evaluations // config.islands)}
        )
        return make_optimizer(variant or "cma-es", domain, of_an_island, child_seed)

    return Islands(
        inner,
        islands=config.islands,
        population_size=config.population,
        migration_interval=config.migration_interval,
        seed=seed,
    )


OPTIMIZERS.add("blockwise", _blockwise)
OPTIMIZERS.add("categorical", choice_optimizers.categorical)
OPTIMIZERS.add("cma-es", number_optimizers.cma_es)
OPTIMIZERS.add("enumerate", choice_optimizers.enumerate_all)
OPTIMIZERS.add("es", number_optimizers.es)
OPTIMIZERS.add("evolution", choice_optimizers.evolution)
OPTIMIZERS.add("islands", _islands)
OPTIMIZERS.add("nevergrad", number_optimizers.nevergrad)
OPTIMIZERS.add("random-search", number_optimizers.random_search)
OPTIMIZERS.add("reflective", choice_optimizers.reflective)
OPTIMIZERS.add("spsa", number_optimizers.spsa)
OPTIMIZERS.add("zo-adam", number_optimizers.zo_adam)
