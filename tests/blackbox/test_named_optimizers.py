import pytest

from blackbox.backends import TextPrompt
from blackbox.config import make_config
from blackbox.errors import SettingError, UnfitOptimizerError
from blackbox.named_optimizers import check_fit, check_optimizer_name, domain_of, make_optimizer
from blackbox.optimizers import Domain, Enumeration, Optimizer, RandomChoices, RandomSearch
from blackbox.spaces import TextsSpace

CONFIG = make_config({"population": 4})
NUMBERS, CHOICES = Domain((2, 2)), Domain((1, 2), sizes=(3, 4, 4))


@pytest.mark.parametrize("name", ["blockwise", "blockwise:cma-es", "cma-es"])
def test_an_optimizer_of_numbers_refuses_choices_and_names_those_that_fit(name: str) -> None:
    first = name.split(":", maxsplit=1)[0]
    with pytest.raises(
        UnfitOptimizerError, match=rf"'{first}' searches numbers, and .* has choices; take categorical, .*enumerate"
    ):
        make_optimizer(name, CHOICES, CONFIG, 1)


@pytest.mark.parametrize("name", ["categorical", "enumerate"])
def test_an_optimizer_of_choices_refuses_numbers_and_names_those_that_fit(name: str) -> None:
    with pytest.raises(UnfitOptimizerError, match=rf"'{name}' searches choices, and .* has numbers; take cma-es, "):
        make_optimizer(name, NUMBERS, CONFIG, 1)


def test_an_optimizer_of_choices_has_the_sizes_of_the_space() -> None:
    domain = domain_of(TextsSpace([TextPrompt("a"), TextPrompt("b"), TextPrompt("c")]))
    assert domain == Domain((1,), sizes=(3,))
    assert make_optimizer("enumerate", domain, CONFIG, 1).sizes == (3,)


def test_random_search_is_of_what_the_space_has() -> None:
    assert isinstance(make_optimizer("random-search", NUMBERS, CONFIG, 1), RandomSearch)
    chosen = make_optimizer("random-search", CHOICES, CONFIG, 1)
    assert isinstance(chosen, RandomChoices)
    assert (chosen.sizes, chosen.population_size) == ((3, 4, 4), 4)


def test_one_name_of_nevergrad_goes_for_numbers_and_choices() -> None:
    pytest.importorskip("nevergrad", exc_type=ImportError)
    of_numbers = make_optimizer("nevergrad:DiscreteOnePlusOne", NUMBERS, CONFIG, 1)
    of_choices = make_optimizer("nevergrad:DiscreteOnePlusOne", CHOICES, CONFIG, 1)
    assert (of_numbers.sizes, of_choices.sizes) == (None, (3, 4, 4))


def test_categorical_is_told_which_variables_are_alike() -> None:
    state = make_optimizer("categorical", CHOICES, CONFIG, 1).state_dict()
    assert state["made_by"]["blocks"] == [1, 2]


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


@pytest.mark.parametrize("name", ["categorical", "enumerate", "cma-es", "random-search", "blockwise:random-search"])
def test_names_are_checked_before_the_space_is_known(name: str) -> None:
    check_optimizer_name(make_config({"optimizer": name}))
