from pathlib import Path

import pytest

from blackbox import tune
from blackbox.backends import DeepPrompt
from blackbox.bank import Bank, saved_prompts
from blackbox.errors import DamagedFileError, RunError, SettingError
from tests.blackbox.small import QUICK, make_task

pytestmark = pytest.mark.usefixtures("without_pictures")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "reviews"
    tune(make_task(), folder=folder, **QUICK)
    return folder


def test_a_prompt_is_copied_and_found_again_by_its_name(run: Path, tmp_path: Path) -> None:
    bank = Bank(tmp_path / "bank")
    assert bank.add(run) == "reviews"
    assert bank.add(run / "prompt", "other") == "other"
    found = bank.prompts()
    assert list(found) == ["other", "reviews"]
    [(_, expected)] = saved_prompts(run).items()
    for saved in found.values():
        assert isinstance(saved.prompt, DeepPrompt) and isinstance(expected.prompt, DeepPrompt)
        assert {k: v.tobytes() for k, v in saved.prompt.vectors.items()} == {
            k: v.tobytes() for k, v in expected.prompt.vectors.items()
        }
        assert saved.scores == expected.scores


def test_a_run_a_saved_prompt_and_a_bank_are_all_told_apart(run: Path, tmp_path: Path) -> None:
    Bank(tmp_path).add(run, "one")
    assert [list(saved_prompts(path)) for path in (run, tmp_path / "one", tmp_path)] == [["reviews"], ["one"], ["one"]]


def test_a_name_is_taken_once_and_stays_in_the_bank(run: Path, tmp_path: Path) -> None:
    bank = Bank(tmp_path / "bank")
    bank.add(run)
    with pytest.raises(SettingError, match="has a prompt 'reviews' already"):
        bank.add(run)
    for name in ("../out", "a/b", ".hidden", ""):
        with pytest.raises(SettingError):
            bank.add(run, name)
    assert list(tmp_path.iterdir()) == [tmp_path / "bank"]


def test_of_several_prompts_one_must_be_named(run: Path, tmp_path: Path) -> None:
    bank = Bank(tmp_path / "bank")
    bank.add(run, "a")
    bank.add(run, "b")
    with pytest.raises(RunError, match="holds 2 prompts; name one of them: a, b"):
        Bank(tmp_path / "second").add(bank.path)


def test_a_folder_without_prompts_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(RunError, match="holds no prompt"):
            saved_prompts(path)


def test_a_damaged_prompt_is_not_copied(run: Path, tmp_path: Path) -> None:
    bank = Bank(tmp_path / "bank")
    bank.add(run, "one")
    [vectors] = (bank.path / "one").glob("*.safetensors")
    vectors.write_bytes(vectors.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedFileError):
        Bank(tmp_path / "second").add(bank.path / "one")
    assert not (tmp_path / "second").exists()
