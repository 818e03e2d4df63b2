"""Optimizers of numbers, made by the settings."""

from blackbox.config import Config
from blackbox.domains import dimension_of, no_variant
from blackbox.errors import SettingError
from blackbox.optimizers import (
    CMAES,
    SPSA,
    Domain,
    EvolutionStrategy,
    NevergradChoices,
    NevergradSearch,
    Optimizer,
    RandomChoices,
    RandomSearch,
    ZerothOrderAdam,
)


def random_search(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
    no_variant("random-search", variant)
    if domain.sizes is not None:
        return RandomChoices(domain.sizes, population_size=config.population, seed=seed)
    return RandomSearch(domain.dimension, population_size=config.population, sigma=config.sigma, seed=seed)


def cma_es(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
    no_variant("cma-es", variant)
    return CMAES(
        dimension_of("cma-es", domain),
        population_size=config.population,
        sigma=config.sigma,
        covariance=config.covariance,
        step_size=config.step_size,
        seed=seed,
    )


def es(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
    no_variant("es", variant)
    if config.direction_rank is not None and domain.shapes is None:
        raise SettingError("direction_rank needs a space whose candidates are matrices: projection = identity")
    return EvolutionStrategy(
        dimension_of("es", domain),
        population_size=config.population,
        sigma=config.sigma,
        learning_rate=config.learning_rate,
        momentum=config.momentum,
        update=config.update,
        shaping=config.shaping,
        shapes=domain.shapes,
        rank=config.direction_rank,
        seed=seed,
    )


def zo_adam(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
    no_variant("zo-adam", variant)
    return ZerothOrderAdam(
        dimension_of("zo-adam", domain),
        population_size=config.population,
        sigma=config.sigma,
        learning_rate=config.learning_rate,
        momentum=config.momentum,
        update=config.update,
        directions=config.directions,
        seed=seed,
    )


def spsa(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
    no_variant("spsa", variant)
    return SPSA(
        dimension_of("spsa", domain),
        population_size=config.population,
        sigma=config.sigma,
        learning_rate=config.learning_rate,
        generations=max(1, config.evaluations // config.population),
        seed=seed,
    )


def nevergrad(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
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
