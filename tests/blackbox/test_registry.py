import sys
from pathlib import Path

import pytest

from blackbox.backends import FakeBackend
from blackbox.build import make_backend
from blackbox.config import make_config
from blackbox.errors import SettingError, UnknownNameError
from blackbox.named_optimizers import make_optimizer
from blackbox.named_spaces import make_space
from blackbox.optimizers import CMAES, Blockwise, Domain, RandomSearch
from blackbox.registry import BACKENDS, OPTIMIZERS, SPACES, Registry
from blackbox.spaces import DeepSpace, SoftSpace
from tests.blackbox.small import QUICK, make_task

STRANGER = """
from blackbox.optimizers import RandomSearch

class Wanderer(RandomSearch):
    pass

def make(variant, domain, config, seed):
    return Wanderer(domain.dimension, population_size=config.population, seed=seed)
"""
ENTRY_POINTS = "[blackbox.optimizers]\nwanderer = stranger_search:make\n"


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of somebody else, installed."""
    (tmp_path / "stranger_search.py").write_text(STRANGER)
    installed = tmp_path / "stranger-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(OPTIMIZERS, "_factories", dict(OPTIMIZERS._factories))
    monkeypatch.delitem(sys.modules, "stranger_search", raising=False)


def test_the_built_ins_are_registered() -> None:
    assert {"anthropic", "fake", "local", "openai"} <= set(BACKENDS.names())
    assert {"deep", "prefix", "soft", "texts"} <= set(SPACES.names())
    assert {"blockwise", "cma-es", "enumerate", "nevergrad", "random-search"} <= set(OPTIMIZERS.names())


@pytest.mark.parametrize(
    ("registry", "name", "message"),
    [
        (OPTIMIZERS, "cmaes", "unknown optimizer 'cmaes'; did you mean 'cma-es'? known: "),
        (SPACES, "sfot", "unknown space 'sfot'; did you mean 'soft'? known: "),
        (BACKENDS, "lokal", "unknown backend 'lokal'; did you mean 'local'? known: "),
        (BACKENDS, "zzz", "unknown backend 'zzz'; known: "),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_known_one(registry: Registry, name: str, message: str) -> None:
    with pytest.raises(UnknownNameError) as refusal:
        registry.get(name)
    assert str(refusal.value) == message + ", ".join(registry.names())


def test_what_is_added_is_found_and_replaces_what_had_its_name() -> None:
    registry: Registry = Registry("thing", "blackbox.things")
    registry.add("b", list)
    registry.add("a", dict)
    registry.add("b", tuple)
    assert registry.names() == ["a", "b"]
    assert registry.get("b") is tuple


@pytest.mark.usefixtures("stranger")
def test_the_entry_point_of_a_stranger_is_a_name_like_any_other() -> None:
    assert "wanderer" in OPTIMIZERS.names()
    optimizer = make_optimizer("wanderer", Domain((4, 4)), make_config({"population": 3}), 1)
    assert type(optimizer).__name__ == "Wanderer"
    assert (optimizer.dimension, optimizer.population_size) == (8, 3)
    inside = make_optimizer("blockwise:wanderer", Domain((4, 4)), make_config({}), 1)
    assert isinstance(inside, Blockwise)


def test_optimizers_are_made_by_name_and_variant() -> None:
    config = make_config({"population": 6})
    assert isinstance(make_optimizer("random-search", Domain((3, 4)), config, 1), RandomSearch)
    cma = make_optimizer("cma-es", Domain((3, 4)), config, 1)
    assert isinstance(cma, CMAES)
    assert (cma.dimension, cma.population_size) == (7, 6)
    blockwise = make_optimizer("blockwise:random-search", Domain((3, 4)), config, 1)
    assert isinstance(blockwise, Blockwise)
    assert blockwise.blocks == (3, 4)


def test_a_variant_of_what_has_none_is_refused() -> None:
    with pytest.raises(SettingError, match="'cma-es' has no variants, got cma-es:fast"):
        make_optimizer("cma-es:fast", Domain((4,)), make_config({}), 1)
    with pytest.raises(SettingError, match="needs the name of one"):
        make_optimizer("nevergrad", Domain((4,)), make_config({}), 1)
    with pytest.raises(UnknownNameError, match="'cmaes'; did you mean 'cma-es'"):
        make_optimizer("blockwise:cmaes", Domain((4,)), make_config({}), 1)


def test_spaces_and_backends_are_made_from_settings() -> None:
    config = make_config({**QUICK, "layers": "1,3"})
    backend = make_backend(config)
    assert isinstance(backend, FakeBackend)
    deep = make_space(backend, make_task(), config)
    assert isinstance(deep, DeepSpace)
    assert (deep.layers, deep.dimension, deep.token_ids) == ((1, 3), 8, backend.encode("ab"))
    soft = make_space(backend, make_task(), make_config({**QUICK, "space": "soft"}))
    assert isinstance(soft, SoftSpace)
    assert soft.dimension == 4
