from pathlib import Path

import pytest

from blackbox.config import Config, make_config, read_settings
from blackbox.errors import SettingError, UnknownNameError
from blackbox.presets import PRESETS


@pytest.mark.parametrize(
    ("key", "near"), [("dimensoin", "dimension"), ("label_word", "label_words"), ("evals", "evaluations")]
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(key: str, near: str) -> None:
    with pytest.raises(SettingError, match=f"unknown setting {key!r}; did you mean {near!r}"):
        make_config({key: 1})


def test_an_unknown_key_that_is_near_to_none_is_refused_with_all() -> None:
    known = ", ".join(sorted(Config.model_fields))
    with pytest.raises(SettingError, match=f"unknown setting 'xyzzy'; known: {known}"):
        make_config({"xyzzy": 1})


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("dimension", 1, "greater than or equal to 2"),
        ("population", 1, "greater than or equal to 2"),
        ("islands", 0, "greater than or equal to 1"),
        ("migration_interval", -1, "greater than or equal to 0"),
        ("sigma", -1.0, "greater than 0"),
        ("sigma", 0.0, "greater than 0"),
        ("sigma", float("nan"), ""),
        ("sigma", float("inf"), "finite"),
        ("alpha", 0, "greater than 0"),
        ("margin", -2.0, "greater than 0"),
        ("evaluations", 0, "greater than or equal to 1"),
        ("evaluations", 2.5, "integer"),
        ("evaluations", "many", "integer"),
        ("seconds", 0, "greater than 0"),
        ("seconds", float("inf"), "finite"),
        ("target", 0, "greater than 0"),
        ("patience", 0, "greater than or equal to 1"),
        ("slice_size", 0, "greater than or equal to 1"),
        ("shots", 0, "greater than or equal to 1"),
        ("seed", -1, "greater than or equal to 0"),
        ("covariance", "half", "'full' or 'diagonal'"),
        ("step_size", "sca", "'csa' or 'tpa'"),
        ("label_words", "negative:bad", "must look like negative=bad,positive=great"),
        ("label_words", ["bad"], "dictionary"),
    ],
)
def test_a_value_out_of_its_range_is_refused_by_key_and_value_in_one_line(
    key: str, value: object, message: str
) -> None:
    with pytest.raises(SettingError) as refusal:
        make_config({key: value})
    text = str(refusal.value)
    assert text.startswith(f"setting {key!r}: ")
    assert message in text
    assert text.endswith(f"got {value!r}")
    assert "\n" not in text


def test_label_words_may_be_a_table_or_a_line() -> None:
    table = make_config({"label_words": {"negative": "bad", "positive": "very good"}})
    line = make_config({"label_words": "negative=bad, positive = very good"})
    assert table.label_words == line.label_words == {"negative": "bad", "positive": "very good"}


def test_labels_that_are_numbers_are_read_as_text() -> None:
    assert make_config({"label_words": {0: "bad", 1: "great"}}).label_words == {"0": "bad", "1": "great"}


def test_files_may_be_paths(tmp_path: Path) -> None:
    config = make_config({name: tmp_path / f"{name}.csv" for name in ("train", "dev", "test")})
    assert [config.train, config.dev, config.test] == [str(tmp_path / f"{n}.csv") for n in ("train", "dev", "test")]


@pytest.mark.parametrize("value", [5, ["bbt"], True])
def test_a_preset_that_is_no_name_is_refused(value: object) -> None:
    with pytest.raises(SettingError, match="setting 'preset': must be a name, got .*; known: bbt, bbtv2, best"):
        make_config({"preset": value})


def test_the_order_of_label_words_is_kept() -> None:
    assert list(make_config({"label_words": "z=1,a=2,m=3"}).label_words) == ["z", "a", "m"]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_sets_what_is_published_and_gives_way_to_other_settings(name: str) -> None:
    config = make_config({"preset": name, "dimension": 20})
    assert config.preset == name
    assert config.dimension == 20
    for key, value in PRESETS[name].items():
        if key != "dimension":
            assert getattr(config, key) == value


def test_the_presets_are_the_published_settings() -> None:
    # Sun et al. 2022, arXiv 2201.03514 section 4.1: d = 500, population 20, 50 prompt tokens, 8,000 calls
    bbt, bbtv2 = make_config({"preset": "bbt"}), make_config({"preset": "bbtv2"})
    for config in (bbt, bbtv2):
        assert (config.dimension, config.population, config.prompt_tokens, config.evaluations) == (500, 20, 50, 8000)
    assert (bbt.space, bbt.optimizer, bbt.projection) == ("soft", "cma-es", "uniform")
    # arXiv 2205.11200: every layer in turn, Gaussian projections
    assert (bbtv2.space, bbtv2.layers, bbtv2.optimizer, bbtv2.projection) == (
        "deep",
        "all",
        "blockwise:cma-es",
        "gaussian",
    )


def test_an_unknown_preset_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(UnknownNameError, match="unknown preset 'bbt2'; did you mean 'bbtv2'"):
        make_config({"preset": "bbt2"})


def test_settings_come_back_from_what_a_run_folder_keeps() -> None:
    config = make_config({"preset": "bbtv2", "alpha": 0.7, "label_words": "a=b,c=d", "seconds": 3})
    assert make_config(config.model_dump()) == config


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Config().seed = 3  # type: ignore[misc]


def test_paths_of_a_file_count_from_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "demo.toml"
    path.parent.mkdir()
    path.write_text(f'train = "data/train.jsonl"\ndev = "../dev.csv"\ntest = "{tmp_path}/test.csv"\nmodel = "a/b"\n')
    assert read_settings(path) == {
        "train": f"{tmp_path}/deep/data/train.jsonl",
        "dev": f"{tmp_path}/deep/../dev.csv",
        "test": f"{tmp_path}/test.csv",
        "model": "a/b",
    }


@pytest.mark.parametrize(("content", "message"), [(b"seed = \n", "is no TOML"), (b'a = "\xff"', "is no TOML")])
def test_a_file_that_is_no_toml_is_refused_by_path(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "bad.toml").write_bytes(content)
    with pytest.raises(SettingError, match=rf"bad\.toml: {message}"):
        read_settings(tmp_path / "bad.toml")


def test_a_missing_file_is_refused_by_path(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"none\.toml: No such file"):
        read_settings(tmp_path / "none.toml")


@pytest.mark.parametrize("name", Config.model_fields)
def test_every_setting_says_what_it_means(name: str) -> None:
    description = Config.model_fields[name].description
    assert description
    assert description.endswith(".")
