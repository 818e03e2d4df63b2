"""Optimizers by name. The built-in ones are registered here as a stranger's would be."""

from blackbox.config import Config
from blackbox.errors import SettingError, UnfitOptimizerError
from blackbox.optimizers import (
    CMAES,
    Blockwise,
    Categorical,
    Domain,
    Enumeration,
    Evolution,
    Islands,
    NevergradChoices,
    NevergradSearch,
    Optimizer,
    RandomChoices,
    RandomSearch,
    Reflective,
)
from blackbox.registry import OPTIMIZERS
from blackbox.spaces import PromptSpace

_OF_NUMBERS = "cma-es, random-search, nevergrad:NAME, islands:OPTIMIZER or blockwise:OPTIMIZER"
_OF_CHOICES = "categorical, evolution, reflective, random-search, nevergrad:NAME or enumerate"


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
        make_optimizer(config.optimizer, Domain((2, 2)), config, seed=0)
    except UnfitOptimizerError:
        make_optimizer(config.optimizer, Domain((1, 1), sizes=(2, 2)), config, seed=0)


def domain_of(space: PromptSpace) -> Domain:
    """What an optimizer of the space searches."""
    return Domain(tuple(space.blocks), space.sizes)


def check_fit(optimizer: Optimizer, domain: Domain) -> None:
    """Refuse an optimizer that searches something else than the space has.

    Raises:
        UnfitOptimizerError: numbers where there are choices, or the other way round.
        SettingError: another dimension, or other numbers of categories.
    """
    if (optimizer.sizes is None) != (domain.sizes is None):
        raise _unfit(type(optimizer).__name__, domain)
    if optimizer.dimension != domain.dimension:
        raise SettingError(f"the optimizer has dimension {optimizer.dimension}, the space {domain.dimension}")
    if optimizer.sizes != domain.sizes:
        raise SettingError(f"the optimizer chooses from {optimizer.sizes} categories, the space from {domain.sizes}")


def _unfit(name: str, domain: Domain) -> UnfitOptimizerError:
    if domain.sizes is None:
        return UnfitOptimizerError(
            f"optimizer {name!r} searches choices, and this space has numbers; take {_OF_NUMBERS}"
        )
    return UnfitOptimizerError(f"optimizer {name!r} searches numbers, and this space has choices; take {_OF_CHOICES}")


def _dimension(name: str, domain: Domain) -> int:
    """Of a domain that must have numbers."""
    if domain.sizes is not None:
        raise _unfit(name, domain)
    return domain.dimension


def _sizes(name: str, domain: Domain) -> tuple[int, ...]:
    """Of a domain that must have choices."""
    if domain.sizes is None:
        raise _unfit(name, domain)
    return domain.sizes


def _random_search(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
    _no_variant("random-search", variant)
    if domain.sizes is not None:
        return RandomChoices(domain.sizes, population_size=config.population, seed=seed)
    return RandomSearch(domain.dimension, population_size=config.population, sigma=config.sigma, seed=seed)


def _cma_es(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
    _no_variant("cma-es", variant)
    return CMAES(
        _dimension("cma-es", domain),
        population_size=config.population,
        sigma=config.sigma,
        covariance=config.covariance,
        step_size=config.step_size,
        seed=seed,
    )


def _nevergrad(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
    if not variant:
        raise SettingError("optimizer 'nevergrad' needs the name of one: nevergrad:TwoPointsDE, nevergrad:NGOpt, ...")
    if domain.sizes is not None:
        return NevergradChoices(
            domain.sizes, name=variant, population_size=config.population, budget=config.evaluations, seed=seed
        )
    return NevergradSearch(
        domain.dimension,
        name=variant,
        population_size=config.population,
        sigma=config.sigma,
        budget=config.evaluations,
        seed=seed,
    )


def _categorical(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
    _no_variant("categorical", variant)
    sizes = _sizes("categorical", domain)
    return Categorical(sizes, blocks=domain.blocks, population_size=config.population, seed=seed)


def _enumerate(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
    _no_variant("enumerate", variant)
    return Enumeration(_sizes("enumerate", domain))


def _evolution(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
    if variant not in ("", "ga", "de"):
        raise SettingError(f"optimizer 'evolution' has the variants ga and de, got evolution:{variant}")
    return Evolution(
        _sizes("evolution", domain),
        scheme="de" if variant == "de" else "ga",
        blocks=domain.blocks,
        population_size=config.population,
        seed=seed,
    )


def _reflective(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
    _no_variant("reflective", variant)
    sizes = _sizes("reflective", domain)
    return Reflective(sizes, blocks=domain.blocks, population_size=config.population, seed=seed)


def _blockwise(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
    _dimension("blockwise", domain)
    share = max(config.population, config.evaluations // max(1, len(domain.blocks)))
    of_a_block = config.model_copy(update={"evaluations": share})

    def inner(dimension: int, child_seed: int) -> Optimizer:
        return make_optimizer(variant or "cma-es", Domain((dimension,)), of_a_block, child_seed)

    return Blockwise(domain.blocks, make=inner, seed=seed)


def _islands(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
    _dimension("islands", domain)

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


def _no_variant(name: str, variant: str) -> None:
    if variant:
        raise SettingError(f"optimizer {name!r} has no variants, got {name}:{variant}")


OPTIMIZERS.add("blockwise", _blockwise)
OPTIMIZERS.add("categorical", _categorical)
OPTIMIZERS.add("cma-es", _cma_es)
OPTIMIZERS.add("enumerate", _enumerate)
OPTIMIZERS.add("evolution", _evolution)
OPTIMIZERS.add("islands", _islands)
OPTIMIZERS.add("nevergrad", _nevergrad)
OPTIMIZERS.add("random-search", _random_search)
OPTIMIZERS.add("reflective", _reflective)
