from importlib.metadata import version
from pathlib import Path

import pytest

from blackbox.backends import FakeBackend
from blackbox.config import make_config
from blackbox.errors import MismatchError, RunError
from blackbox.files import read_json, write_json
from blackbox.run_folder import RunFolder, environment
from tests.blackbox.small import QUICK, make_task


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run that has just been made."""
    folder = RunFolder(tmp_path / "run")
    folder.create(make_config(QUICK), make_task(), FakeBackend())
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
        return environment(make_task(**changes), FakeBackend())["data_hash"]  # type: ignore[arg-type]

    assert data_hash() == data_hash()
    others = [data_hash(train=6), data_hash(test=0), data_hash(template="{text}: {label}"), data_hash(loss="hinge")]
    assert len({data_hash(), *others}) == 5


def test_other_weights_and_other_data_are_refused(folder: RunFolder) -> None:
    folder.check_environment(make_task(), FakeBackend())
    with pytest.raises(MismatchError, match="another model hash"):
        folder.check_environment(make_task(), FakeBackend(margin=1.0))
    with pytest.raises(MismatchError, match="another data hash"):
        folder.check_environment(make_task(test=9), FakeBackend())


def test_other_versions_are_warned_of(folder: RunFolder, caplog: pytest.LogCaptureFixture) -> None:
    write_json(folder.path / "environment.json", {**folder.read_environment(), "python": "3.9.1"})
    folder.check_environment(make_task(), FakeBackend())
    assert "began with other versions" in caplog.text


def test_a_folder_whose_making_was_cut_off_is_no_run_and_can_be_made_again(folder: RunFolder) -> None:
    (folder.path / "config.json").unlink()
    with pytest.raises(RunError, match="holds no run"):
        folder.read_config()
    folder.create(make_config(QUICK), make_task(), FakeBackend())
    assert read_json(folder.path / "config.json")["backend"] == "fake"
