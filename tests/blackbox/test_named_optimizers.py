import pytest

from blackbox.backends import TextPrompt
from blackbox.config import make_config
from blackbox.errors import SettingError, UnfitOptimizerError
from blackbox.named_optimizers import check_fit, check_optimizer_name, domain_of, make_optimizer
from blackbox.optimizers import Domain, Enumeration, Optimizer, RandomSearch
from blackbox.spaces import TextsSpace

CONFIG = make_config({"population": 4})
NUMBERS, CHOICES = Domain((2, 2)), Domain((1, 2), sizes=(3, 4, 4))


@pytest.mark.parametrize("name", ["blockwise", "blockwise:cma-es", "cma-es"])
def test_an_optimizer_of_numbers_refuses_choices_and_names_those_that_fit(name: str) -> None:
    first = name.split(":", maxsplit=1)[0]
    with pytest.raises(UnfitOptimizerError, match=rf"'{first}' searches numbers, and .* has choices; take .*enumerate"):
        make_optimizer(name, CHOICES, CONFIG, 1)


@pytest.mark.parametrize("name", ["enumerate"])
def test_an_optimizer_of_choices_refuses_numbers_and_names_those_that_fit(name: str) -> None:
    with pytest.raises(UnfitOptimizerError, match=rf"'{name}' searches choices, and .* has numbers; take cma-es, "):
        make_optimizer(name, NUMBERS, CONFIG, 1)


def test_an_optimizer_of_choices_has_the_sizes_of_the_space() -> None:
    domain = domain_of(TextsSpace([TextPrompt("a"), TextPrompt("b"), TextPrompt("c")]))
    assert domain == Domain((1,), sizes=(3,))
    assert make_optimizer("enumerate", domain, CONFIG, 1).sizes == (3,)


@pytest.mark.parametrize(
    ("optimizer", "domain", "message"),
    [
        (RandomSearch(3, seed=1), CHOICES, "'RandomSearch' searches numbers, and this space has choices"),
        (Enumeration((2, 2, 2, 2)), NUMBERS, "'Enumeration' searches choices, and this space has numbers"),
        (RandomSearch(3, seed=1), NUMBERS, "the optimizer has dimension 3, the space 4"),
        (Enumeration((3, 4)), CHOICES, "the optimizer has dimension 2, the space 3"),
        (Enumeration((3, 3, 4)), CHOICES, r"chooses from \(3, 3, 4\) categories, the space from \(3, 4, 4\)"),
    ],
)
def test_an_optimizer_given_as_an_object_must_fit_the_space(optimizer: Optimizer, domain: Domain, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        check_fit(optimizer, domain)


@pytest.mark.parametrize("name", ["enumerate", "cma-es", "random-search", "blockwise:random-search"])
def test_names_are_checked_before_the_space_is_known(name: str) -> None:
    check_optimizer_name(make_config({"optimizer": name}))
