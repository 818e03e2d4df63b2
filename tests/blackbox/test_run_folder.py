import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from blackbox.backends import FakeBackend, PrefixPrompt
from blackbox.config import make_config
from blackbox.environment import environment, space_hash
from blackbox.errors import DamagedFileError, MismatchError, RunError
from blackbox.files import read_json, write_json
from blackbox.run_folder import RunFolder
from blackbox.spaces import DeepSpace, PrefixSpace
from tests.blackbox.small import QUICK, make_task

SPACE = DeepSpace(FakeBackend().encode("ab"), {1: 1.0}, 8, dimension=6, seed=1)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run that has just been made."""
    folder = RunFolder(tmp_path / "run")
    folder.create(make_config(QUICK), make_task(), FakeBackend(), SPACE)
    return folder


def test_what_a_run_is_comes_back(folder: RunFolder) -> None:
    assert folder.name == "run"
    assert folder.read_config() == make_config(QUICK)
    assert folder.read_task().to_dict() == make_task().to_dict()
    assert folder.read_summary().status == "running"
    assert folder.load_checkpoint() is None


def test_the_environment_has_versions_and_hashes(folder: RunFolder) -> None:
    found = folder.read_environment()
    assert found["model_hash"] == FakeBackend().model_hash
    packages = found["packages"]
    assert isinstance(packages, dict)
    assert packages["numpy"] == version("numpy")


def test_the_hash_of_the_data_is_that_of_its_rows_and_words() -> None:
    def data_hash(**changes: object) -> object:
        return environment(make_task(**changes), FakeBackend(), SPACE)["data_hash"]  # type: ignore[arg-type]

    assert data_hash() == data_hash()
    others = [data_hash(train=6), data_hash(test=0), data_hash(template="{text}: {label}"), data_hash(loss="hinge")]
    assert len({data_hash(), *others}) == 5


def test_other_weights_and_other_data_are_refused(folder: RunFolder) -> None:
    folder.check_environment(make_task(), FakeBackend(), SPACE)
    with pytest.raises(MismatchError, match="another model hash"):
        folder.check_environment(make_task(), FakeBackend(margin=1.0), SPACE)
    with pytest.raises(MismatchError, match="another data hash"):
        folder.check_environment(make_task(test=9), FakeBackend(), SPACE)


def test_other_versions_are_warned_of(folder: RunFolder, caplog: pytest.LogCaptureFixture) -> None:
    write_json(folder.path / "environment.json", {**folder.read_environment(), "python": "3.9.1"})
    folder.check_environment(make_task(), FakeBackend(), SPACE)
    assert f"began with other versions (python 3.9.1, now {platform.python_version()})" in caplog.text


def make_space(seed: int = 1, alpha: float = 1.0, token: str = "ab") -> DeepSpace:
    return DeepSpace(FakeBackend().encode(token), {1: 1.0}, 8, dimension=6, alpha=alpha, seed=seed)


def test_spaces_that_make_other_prompts_have_other_hashes() -> None:
    others = [make_space(seed=2), make_space(alpha=2.0), make_space(token="cd")]
    assert space_hash(make_space()) == space_hash(make_space())
    assert len({space_hash(space) for space in (make_space(), *others)}) == 4


def test_a_space_that_differs_by_rounding_only_has_the_same_hash() -> None:
    assert space_hash(make_space(alpha=1.0 + 1e-6)) == space_hash(make_space())


def make_prefix_space(seed: int = 1, alpha: float = 1.0, token: str = "ab", rounding: float = 0.0) -> PrefixSpace:
    """`rounding` is the largest share by which a number of the start differs."""
    backend, rng = FakeBackend(n_layers=12, key_value_width=64), np.random.default_rng(1)
    start = backend.prefix_of(backend.encode(25 * token))
    shares = {layer: rng.uniform(-rounding, rounding, array.shape) for layer, array in start.keys_values.items()}
    rounded = {layer: np.float32(array * (1 + shares[layer])) for layer, array in start.keys_values.items()}
    return PrefixSpace(PrefixPrompt(start.token_ids, rounded), range(12), dimension=6, alpha=alpha, seed=seed)


def test_prefix_spaces_that_make_other_prompts_have_other_hashes() -> None:
    others = [make_prefix_space(seed=2), make_prefix_space(alpha=2.0), make_prefix_space(token="cd")]
    assert space_hash(make_prefix_space()) == space_hash(make_prefix_space())
    assert len({space_hash(space) for space in (make_prefix_space(), make_space(), *others)}) == 5


@pytest.mark.parametrize("digits", [11, 24])  # of float16 and float32
def test_a_start_whose_keys_and_values_differ_by_rounding_only_has_the_same_hash(digits: int) -> None:
    assert space_hash(make_prefix_space(rounding=2.0**-digits)) == space_hash(make_prefix_space())


def test_another_space_is_refused(folder: RunFolder) -> None:
    with pytest.raises(MismatchError, match="another space hash"):
        folder.check_environment(make_task(), FakeBackend(), make_space(seed=2))


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("config.json", RunFolder.read_config),
        ("task.json", RunFolder.read_task),
        ("environment.json", RunFolder.read_environment),
    ],
)
def test_a_file_without_its_fields_is_refused_by_name(
    folder: RunFolder, name: str, read: Callable[[RunFolder], object]
) -> None:
    write_json(folder.path / name, {})
    with pytest.raises(DamagedFileError, match=rf"{name} is damaged"):
        read(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"sigam": 1.0}, "it has 'sigam', which is unknown"), ({"sigma": -1.0}, "setting 'sigma': .*greater than 0")],
)
def test_settings_that_cannot_be_those_of_a_run_are_refused(
    folder: RunFolder, change: dict[str, object], message: str
) -> None:
    path = folder.path / "config.json"
    write_json(path, {**read_json(path), **change})
    with pytest.raises(DamagedFileError, match=rf"config\.json is damaged: {message}"):
        folder.read_config()


def test_a_folder_whose_making_was_cut_off_is_no_run_and_can_be_made_again(folder: RunFolder) -> None:
    (folder.path / "config.json").unlink()
    with pytest.raises(RunError, match="holds no run"):
        folder.read_config()
    folder.create(make_config(QUICK), make_task(), FakeBackend(), SPACE)
    assert read_json(folder.path / "config.json")["backend"] == "fake"
