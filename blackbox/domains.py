"""What optimizers and spaces must have in common: numbers or choices, as many, of the same categories."""

from blackbox.errors import SettingError, UnfitOptimizerError
from blackbox.optimizers import Domain, Optimizer
from blackbox.spaces import MatrixSpace, PromptSpace

_OF_NUMBERS = "cma-es, es, zo-adam, spsa, random-search, nevergrad:NAME, islands:OPTIMIZER or blockwise:OPTIMIZER"
_OF_CHOICES = "categorical, evolution, reflective, random-search, nevergrad:NAME or enumerate"


def domain_of(space: PromptSpace) -> Domain:
    """What an optimizer of the space searches."""
    shapes = space.shapes if isinstance(space, MatrixSpace) else None
    return Domain(tuple(space.blocks), space.sizes, shapes)


def check_fit(optimizer: Optimizer, domain: Domain) -> None:
    """Refuse an optimizer that searches something else than the space has.

    Raises:
        UnfitOptimizerError: numbers where there are choices, or the other way round.
        SettingError: another dimension, or other numbers of categories.
    """
    if (optimizer.sizes is None) != (domain.sizes is None):
        raise unfit(type(optimizer).__name__, domain)
    if optimizer.dimension != domain.dimension:
        raise SettingError(f"the optimizer has dimension {optimizer.dimension}, the space {domain.dimension}")
    if optimizer.sizes != domain.sizes:
        raise SettingError(f"the optimizer chooses from {optimizer.sizes} categories, the space from {domain.sizes}")


def unfit(name: str, domain: Domain) -> UnfitOptimizerError:
    """The error of an optimizer that cannot search the domain, with those that can."""
    if domain.sizes is None:
        return UnfitOptimizerError(
            f"optimizer {name!r} searches choices, and this space has numbers; take {_OF_NUMBERS}"
        )
    return UnfitOptimizerError(f"optimizer {name!r} searches numbers, and this space has choices; take {_OF_CHOICES}")


def dimension_of(name: str, domain: Domain) -> int:
    """The length of a candidate of a domain that must have numbers.

    Raises:
        UnfitOptimizerError: it has choices.
    """
    if domain.sizes is not None:
        raise unfit(name, domain)
    return domain.dimension


def sizes_of(name: str, domain: Domain) -> tuple[int, ...]:
    """The numbers of categories of a domain that must have choices.

    Raises:
        UnfitOptimizerError: it has numbers.
    """
    if domain.sizes is None:
        raise unfit(name, domain)
    return domain.sizes


def no_variant(name: str, variant: str) -> None:
    """Refuse a variant of an optimizer that has none.

    Raises:
        SettingError: there is one.
    """
    if variant:
        raise SettingError(f"optimizer {name!r} has no variants, got {name}:{variant}")
