"""Optimizers of choices, made by the settings."""

from blackbox.config import Config
from blackbox.domains import no_variant, sizes_of
from blackbox.errors import SettingError
from blackbox.optimizers import Categorical, Domain, Enumeration, Evolution, Optimizer, Reflective


def categorical(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
    no_variant("categorical", variant)
    sizes = sizes_of("categorical", domain)
    return Categorical(sizes, blocks=domain.blocks, population_size=config.population, seed=seed)


def enumerate_all(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
    no_variant("enumerate", variant)
    return Enumeration(sizes_of("enumerate", domain))


def evolution(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
    if variant not in ("", "ga", "de"):
        raise SettingError(f"optimizer 'evolution' has the variants ga and de, got evolution:{variant}")
    return Evolution(
        sizes_of("evolution", domain),
        scheme="de" if variant == "de" else "ga",
        blocks=domain.blocks,
        population_size=config.population,
        seed=seed,
    )


def reflective(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
    no_variant("reflective", variant)
    sizes = sizes_of("reflective", domain)
    return Reflective(sizes, blocks=domain.blocks, population_size=config.population, seed=seed)
