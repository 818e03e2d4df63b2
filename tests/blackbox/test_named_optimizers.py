import pytest

from blackbox import tune
from blackbox.backends import TextPrompt
from blackbox.config import make_config
from blackbox.domains import check_fit, domain_of
from blackbox.errors import SettingError, UnfitOptimizerError
from blackbox.named_optimizers import check_optimizer_name, make_optimizer
from blackbox.optimizers import Blockwise, Domain, Enumeration, Islands, Optimizer, RandomChoices, RandomSearch
from blackbox.optimizers import SettingError as OptimizerSettingError
from blackbox.spaces import TextsSpace
from tests.blackbox.small import make_task

CONFIG = make_config({"population": 4})
NUMBERS, CHOICES = Domain((2, 2)), Domain((1, 2), sizes=(3, 4, 4))


@pytest.mark.parametrize("name", ["blockwise", "blockwise:cma-es", "cma-es", "islands", "islands:cma-es"])
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


@pytest.mark.parametrize("name", ["islands", "islands:cma-es", "blockwise:islands:cma-es"])
def test_islands_have_the_settings_numbers_and_a_population_each(name: str) -> None:
    config = make_config({"population": 6, "islands": 3, "migration_interval": 7})
    optimizer = make_optimizer(name, NUMBERS, config, 1)
    assert optimizer.population_size == 18
    if isinstance(optimizer, Blockwise):
        optimizer = optimizer._inner[0]
    assert isinstance(optimizer, Islands)
    assert optimizer.populations == (6, 6, 6)
    assert optimizer.state_dict()["made_by"]["migration_interval"] == 7


@pytest.mark.parametrize("name", ["islands:random-search", "islands:blockwise:cma-es", "islands:islands:cma-es"])
def test_islands_of_what_takes_no_migrants_are_refused_before_the_space_is_known(name: str) -> None:
    with pytest.raises(OptimizerSettingError, match="cannot be shown what others have found .*; CMA-ES can"):
        check_optimizer_name(make_config({"optimizer": name}))


NAMES = ["categorical", "enumerate", "cma-es", "random-search", "blockwise:random-search", "islands"]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_checked_before_the_space_is_known(name: str) -> None:
    check_optimizer_name(make_config({"optimizer": name}))


@pytest.mark.parametrize("optimizer", ["categorical", "random-search"])
def test_a_search_over_given_texts_ends_when_all_were_scored(optimizer: str) -> None:
    prompts = ["classify", "classify sentiment", "answer", "classify sentiment carefully", "sentiment"]
    result = tune(
        make_task(), backend="fake", space="texts", prompts=prompts, optimizer=optimizer, population=2, evaluations=40
    )
    scored = [found for found in result.history if found.split == "train"]
    assert len(scored) == 1 + len(prompts)  # the start once more, as one of the combinations
    assert "all combinations" in str(result.summary.stop_reason)


def test_numbers_are_not_searched_for_in_a_space_of_texts() -> None:
    with pytest.raises(UnfitOptimizerError, match="'cma-es' searches numbers, and this space has choices"):
        tune(make_task(), backend="fake", space="texts", prompts=["a", "b"], optimizer="cma-es")
