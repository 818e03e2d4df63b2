import pickle
from pathlib import Path

import pytest

from blackbox.errors import SettingError
from blackbox.sweeps import read_spec
from blackbox.sweeps.plan import plan


def test_each_task_is_searched_by_each_method_from_each_seed_and_methods_meet_the_same_seeds_first(
    tmp_path: Path,
) -> None:
    spec = read_spec({"seeds": [7, 3], "tasks": {"t": {}, "u": {}}, "methods": {"a": {}, "b": {}}})
    runs = plan(spec, tmp_path)
    order = [(run.seed, run.task, run.method) for run in runs]
    assert order == [(seed, task, method) for seed in (7, 3) for task in "tu" for method in "ab"]
    assert runs[3].folder == tmp_path / "u" / "b" / "seed7"


def test_a_method_comes_before_a_task_and_a_task_before_the_common_settings(tmp_path: Path) -> None:
    tables = {
        "settings": {"sigma": 1.0, "alpha": 1.0, "dimension": 2},
        "tasks": {"t": {"alpha": 2.0, "dimension": 3}},
        "methods": {"a": {"dimension": 4}},
    }
    [run] = plan(read_spec({"seeds": [5], **tables}), tmp_path)
    assert run.settings == {"sigma": 1.0, "alpha": 2.0, "dimension": 4, "seed": 5}


def test_folders_have_characters_that_every_file_system_has(tmp_path: Path) -> None:
    [run] = plan(read_spec({"grid": {"model": ["org/model:1"]}}), tmp_path)
    assert run.folder == tmp_path / "task" / "model=org-model-1" / "seed0"


@pytest.mark.parametrize("pair", [("a b", "a-b"), ("BBT", "bbt")])
def test_two_methods_with_one_folder_are_refused(tmp_path: Path, pair: tuple[str, str]) -> None:
    spec = read_spec({"methods": {name: {} for name in pair}})
    with pytest.raises(SettingError, match="would have the same folder"):
        plan(spec, tmp_path)


def test_a_run_can_be_sent_to_another_process(tmp_path: Path) -> None:
    [run] = plan(read_spec({"methods": {"a": {"label_words": {"x": "y"}}}}), tmp_path)
    sent = pickle.loads(pickle.dumps(run))
    assert (sent.name, sent.folder, sent.settings) == (run.name, run.folder, run.settings)
    assert run.folder.is_absolute()
