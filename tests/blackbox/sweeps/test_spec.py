from pathlib import Path
from typing import Any

import pytest

from blackbox.errors import SettingError
from blackbox.sweeps import read_spec
from blackbox.sweeps.budget import SweepBudget
from blackbox.sweeps.spec import with_budget

METHODS = {"a": {"optimizer": "cma-es"}, "b": {"optimizer": "random-search"}}


def test_what_is_not_given_has_a_default() -> None:
    spec = read_spec({"methods": METHODS})
    assert (spec.name, spec.baseline, spec.seeds, spec.workers) == ("sweep", None, (0,), 1)
    assert (spec.tasks, spec.methods) == ({"task": {}}, METHODS)


def test_the_budget_of_the_whole_is_no_setting_of_a_run_and_single_limits_can_be_replaced() -> None:
    spec = read_spec({"methods": METHODS, "budget": {"max_usd": 5, "max_requests": 100}})
    assert spec.budget == SweepBudget(max_usd=5.0, max_requests=100)
    assert spec.settings == {}
    assert with_budget(spec, {"max_usd": 7.0}).budget == SweepBudget(max_usd=7.0, max_requests=100)
    with pytest.raises(SettingError, match="'max_usd': input should be greater than 0"):
        with_budget(spec, {"max_usd": 0})


def test_a_grid_is_multiplied_out_and_its_methods_are_named_by_their_values() -> None:
    spec = read_spec({"methods": METHODS, "grid": {"dimension": [50, 100], "single_token_labels": [True]}})
    assert list(spec.methods) == [
        f"{method} dimension={dimension} single_token_labels=true" for method in "ab" for dimension in (50, 100)
    ]
    assert spec.methods["b dimension=100 single_token_labels=true"] == {
        "optimizer": "random-search",
        "dimension": 100,
        "single_token_labels": True,
    }


def test_a_grid_alone_makes_the_methods() -> None:
    spec = read_spec({"grid": {"optimizer": ["cma-es", "random-search"]}})
    assert spec.methods["optimizer=cma-es"] == {"optimizer": "cma-es"}


def test_a_method_may_have_a_grid_of_its_own_which_replaces_the_values_of_the_common_one() -> None:
    methods = {"a": {"grid": {"sigma": [1.0, 2.0]}}, "b": {}}
    spec = read_spec({"methods": methods, "grid": {"sigma": [0.5]}})
    assert list(spec.methods) == ["a sigma=1.0", "a sigma=2.0", "b sigma=0.5"]


def test_paths_count_from_the_folder_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[settings]\ntrain = "a.jsonl"\n[tasks.t]\ndev = "/b.jsonl"\n[methods.m]\nprompts = "p.txt"\n')
    spec = read_spec(path)
    assert spec.name == "mine"
    assert spec.settings == {"train": str(tmp_path / "a.jsonl")}
    assert spec.tasks == {"t": {"dev": "/b.jsonl"}}
    assert spec.methods == {"m": {"prompts": str(tmp_path / "p.txt")}}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "a sweep needs methods to compare: [methods.NAME] with settings of each, or a [grid]"),
        ({"seed": [1]}, "unknown key of a sweep 'seed'; did you mean 'seeds'?"),
        ({"seeds": []}, "key of a sweep 'seeds': list should have at least 1 item"),
        ({"seeds": [1, 1]}, "seeds must differ, got [1, 1]"),
        ({"budget": {"max_usd": -1}}, "limit of [budget] 'max_usd': input should be greater than 0, got -1"),
        ({"workers": 0}, "key of a sweep 'workers': input should be greater than or equal to 1, got 0"),
        ({"baseline": "c"}, "unknown baseline 'c'; known: a, b"),
        ({"settings": {"dimensio": 3}}, "unknown setting of [settings] 'dimensio'; did you mean 'dimension'?"),
        ({"tasks": {"t": {"trian": "x"}}}, "unknown setting of [tasks.t] 'trian'; did you mean 'train'?"),
        ({"settings": {"seed": 3}}, "[settings] seed: the seeds of a sweep stand in its list `seeds`"),
        ({"methods": {"a": {"seed": 3}}}, "[methods.a] seed: the seeds of a sweep"),
        ({"grid": {"seed": [3]}}, "seed: the seeds of a sweep"),
        ({"grid": {"sigma": []}}, "grid 'sigma' must be a list of values, got []"),
        ({"grid": {"sigma": [1.0, 1.0]}}, "grid 'sigma': values must differ"),
        ({"grid": {"words": [{"a": "b"}]}}, "for others write a [methods.NAME] each"),
        ({"methods": {"a": {"grid": 3}}}, "[methods.a] grid must be a table of settings and lists of values, got 3"),
        ({"name": "../up"}, "name '../up' becomes a folder"),
        ({"methods": {"..": {}}}, "method '..' becomes a folder"),
        ({"tasks": {"a/b": {}}}, "task 'a/b' becomes a folder"),
    ],
)
def test_what_is_wrong_is_said(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError) as caught:
        read_spec({**({"methods": METHODS} if values else {}), **values})
    assert message in str(caught.value)


def test_a_file_that_is_none_or_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="none.toml: No such file"):
        read_spec(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("a =")
    with pytest.raises(SettingError, match="is no TOML"):
        read_spec(tmp_path / "bad.toml")
