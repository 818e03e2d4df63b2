"""Parts that fit each other; what they are made of is tested where they are."""

import pytest

from blackbox.backends import Capability, FakeBackend, UnsupportedPromptError
from blackbox.build import check_template
from blackbox.config import Config, make_config
from blackbox.errors import DataError, SettingError
from blackbox.named_optimizers import make_optimizer
from blackbox.optimizers import CMAES, Domain, Optimizer, RandomSearch
from blackbox.parts import make_parts
from blackbox.registry import OPTIMIZERS
from blackbox.spaces import PrefixSpace
from blackbox.template import Template
from tests.blackbox.small import QUICK, make_target_task, make_task


class LeftToRight(FakeBackend):
    """Never sees what stands behind the label."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        return super().capabilities - {Capability.INFILL}


def test_a_field_behind_the_label_is_refused_where_the_model_reads_left_to_right() -> None:
    with pytest.raises(DataError) as refused:
        check_template(LeftToRight(), Template("{premise} ? {label} , {hypothesis}"))
    assert str(refused.value) == (
        "template puts {hypothesis} behind {label}, and model 'fake' reads left to right: put {label} last"
    )


def test_no_run_is_made_for_a_template_that_the_model_cannot_read() -> None:
    task = make_task(template="{label}: {text}")
    with pytest.raises(DataError, match="{text} behind {label}"):
        make_parts(make_config(QUICK), task, backend=LeftToRight())
    assert make_parts(make_config(QUICK), task, backend=FakeBackend()).space.dimension == 16


class WithoutPrefixes(FakeBackend):
    """Takes no prefix prompts."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        return super().capabilities - {Capability.PREFIX}


class Boaster(FakeBackend):
    """Says that it takes prefix prompts but cannot make one."""

    prefix_of = None  # type: ignore[assignment]


def test_a_prefix_space_needs_a_backend_that_takes_prefixes() -> None:
    config = make_config({**QUICK, "space": "prefix"})
    with pytest.raises(
        UnsupportedPromptError, match="'fake' has no prefix prompts; those need 'fake' or 'local' or 'remote'"
    ):
        make_parts(config, make_task(), backend=WithoutPrefixes())
    with pytest.raises(SettingError, match="says it takes prefix prompts but is no PrefixBackend"):
        make_parts(config, make_task(), backend=Boaster())


def test_a_prefix_space_begins_with_the_keys_and_values_of_the_prompts_text() -> None:
    config = make_config({**QUICK, "space": "prefix", "prompt": "abc", "prompt_tokens": 7, "layers": "upper-half"})
    space = make_parts(config, make_task(), backend=FakeBackend()).space
    assert isinstance(space, PrefixSpace)
    assert space.layers == (2, 3)
    assert FakeBackend().decode(space.start.token_ids) == "abcabca"


class LabelsOnly(FakeBackend):
    """Knows nothing of targets."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        return super().capabilities - {Capability.TARGETS}


def test_no_run_is_made_for_targets_that_the_model_cannot_score() -> None:
    with pytest.raises(UnsupportedPromptError, match="backend 'fake' has no likelihoods of whole targets"):
        make_parts(make_config(QUICK), make_target_task(), backend=LabelsOnly())
    assert make_parts(make_config(QUICK), make_task(), backend=LabelsOnly()).space.dimension == 16


def test_a_target_of_the_search_is_a_share_of_a_metric_and_any_number_of_nats() -> None:
    config = make_config({**QUICK, "target": 1.5})
    with pytest.raises(SettingError, match="setting 'target': must be at most 1, the share .*, got 1.5"):
        make_parts(config, make_task())
    assert make_parts(config, make_target_task()).config.target == 1.5


def test_words_behind_the_label_are_allowed_everywhere() -> None:
    check_template(LeftToRight(), Template("{premise} ? {hypothesis} {label} ."))


@pytest.mark.parametrize(("evaluations", "share"), [(100, 25), (12, 4)])
def test_a_block_plans_with_its_share_of_the_budget_and_one_population_at_least(
    evaluations: int, share: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = []

    def noted(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
        planned.append(config.evaluations)
        return RandomSearch(domain.dimension, population_size=config.population, seed=seed)

    monkeypatch.setitem(OPTIMIZERS._factories, "noted", noted)
    make_optimizer("blockwise:noted", Domain((2, 2, 2, 2)), make_config({**QUICK, "evaluations": evaluations}), 0)
    assert planned == [share] * 4


@pytest.mark.parametrize(("evaluations", "share"), [(100, 33), (2, 1)])
def test_an_island_plans_with_its_share_of_the_budget(
    evaluations: int, share: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = []

    def noted(variant: str, domain: Domain, config: Config, seed: int) -> Optimizer:
        planned.append(config.evaluations)
        return CMAES(domain.dimension, population_size=config.population, seed=seed)

    monkeypatch.setitem(OPTIMIZERS._factories, "noted", noted)
    settings = {**QUICK, "evaluations": evaluations, "islands": 3}
    make_optimizer("islands:noted", Domain((2, 2)), make_config(settings), 0)
    assert planned == [share] * 3
