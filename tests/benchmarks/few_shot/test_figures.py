import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.data import MissingDataError
from benchmarks.few_shot import one, possible
from benchmarks.few_shot.fitted import Fitted, scores
from benchmarks.few_shot.memory import PeakMemory
from benchmarks.few_shot.part import config_of
from benchmarks.few_shot.searches import by_turns, indices, search
from benchmarks.few_shot.settings import Settings, read_settings
from benchmarks.few_shot.summary import COSTS, by_method, memory_shares, paired, table, told
from benchmarks.few_shot.table import PROMPTS, PUBLISHED
from benchmarks.few_shot.tasks import HUB, make_task, wording
from benchmarks.published import TASKS
from blackbox.config import make_config
from blackbox.filling import Prediction
from blackbox.published.sources import source_of
from tests.blackbox.small import QUICK
from tests.blackbox.small import make_task as small_task


def part(
    method: str, task: str, seed: int, value: float, *, metric: str = "accuracy", **costs: float
) -> dict[str, Any]:
    return {
        **dict.fromkeys(COSTS, 1.0),
        "method": method,
        "task": task,
        "seed": seed,
        "metric": metric,
        "accuracy": {"value": 0.0},
        metric: {"value": value},
        **costs,
    }


PARTS = [
    part("best", "sst2", 13, 0.8, peak_memory_mb=100.0),
    part("best", "sst2", 21, 0.9, peak_memory_mb=300.0),
    part("best", "mrpc", 13, 0.6, metric="macro-f1", peak_memory_mb=200.0),
    part("bbtv2", "sst2", 13, 0.7, peak_memory_mb=400.0),
    part("bbtv2", "sst2", 21, 0.7, peak_memory_mb=400.0),
    part("bbtv2", "mrpc", 13, 0.65, metric="macro-f1", peak_memory_mb=400.0),
    part("bbtv2", "rte", 13, 0.1, peak_memory_mb=400.0),
]


def test_a_mean_is_over_tasks_each_the_mean_of_its_seeds() -> None:
    best, bbtv2 = by_method(PARTS)
    assert best["tasks"] == pytest.approx({"sst2": 85.0, "mrpc": 60.0})
    assert (best["mean"], best["parts"], best["peak_memory_mb"]) == (pytest.approx(72.5), 3, 200.0)
    assert bbtv2["published"]["sst2"] == 90.33
    assert bbtv2["mean"] == pytest.approx(67.5)  # of the two tasks that both have
    [alone] = by_method([one for one in PARTS if one["method"] == "bbtv2"])
    assert alone["mean"] == pytest.approx((70 + 65 + 10) / 3)


def test_pairs_are_of_the_splits_that_both_have_with_intervals_over_tasks_and_splits() -> None:
    pair = paired(PARTS, "best", "bbtv2")
    assert pair is not None
    assert pair["tasks"] == pytest.approx({"sst2": 15.0, "mrpc": -5.0})
    assert (pair["points"], pair["splits"]) == (pytest.approx(5.0), 3)
    half = 12.706205 * math.sqrt(200) / math.sqrt(2)  # Student's 97.5% quantile, one degree of freedom
    assert pair["over_tasks"] == pytest.approx([5 - half, 5 + half], rel=1e-5)
    half = 4.3026527 * np.std([10, 20, -5], ddof=1) / math.sqrt(3)
    assert pair["over_splits"] == pytest.approx([25 / 3 - half, 25 / 3 + half], rel=1e-5)
    assert told(pair).startswith("best less bbtv2: +5.0 points (")
    assert paired(PARTS, "best", "lora") is None


def test_a_single_split_has_no_interval_and_the_figures_are_json() -> None:
    pair = paired(PARTS[:1] + PARTS[3:4], "best", "bbtv2")
    assert pair is not None
    assert (pair["over_tasks"], pair["over_splits"]) == (None, None)
    json.dumps([pair, *by_method(PARTS)], allow_nan=False)
    assert told(pair) == "best less bbtv2: +10.0 points"


def test_the_table_has_a_line_for_each_method_and_a_dash_where_it_was_not_measured() -> None:
    head, best, bbtv2 = table(by_method(PARTS), ["sst2", "mrpc", "rte"])
    assert head.split()[:5] == ["method", "sst2", "mrpc", "rte", "mean"]
    assert best.split()[:5] == ["best", "85.0", "60.0", "-", "72.5"]
    assert bbtv2.split()[:4] == ["bbtv2", "70.0", "65.0", "10.0"]
    assert memory_shares(by_method(PARTS), "best", ["bbtv2", "lora"]) == {"bbtv2": 0.5}


def test_what_is_run_comes_from_the_environment_and_unknown_names_are_refused() -> None:
    assert read_settings({}, quick=False) == Settings()
    given = {"BLACKBOX_TASKS": "rte, sst2", "BLACKBOX_SEEDS": "100", "BLACKBOX_METHODS": "bbt", "BLACKBOX_EPOCHS": "3"}
    found = read_settings({**given, "BLACKBOX_MODEL": "roberta-large"}, quick=True)
    assert (found.tasks, found.seeds, found.methods) == (("rte", "sst2"), (100,), ("bbt",))
    assert (found.model, found.epochs, found.evaluations) == ("roberta-large", 3, 40)
    with pytest.raises(ValueError, match="BLACKBOX_METHODS: 'bbtv3' is none of start"):
        read_settings({"BLACKBOX_METHODS": "bbtv3"}, quick=False)
    with pytest.raises(ValueError, match="BLACKBOX_EVALUATIONS: must be a whole number from 1, got '-1'"):
        read_settings({"BLACKBOX_EVALUATIONS": "-1"}, quick=False)


def test_every_task_has_a_start_a_name_on_the_hub_and_the_labels_of_its_words() -> None:
    for name in Settings().tasks:
        assert PROMPTS[name].endswith(" ")
        assert set(source_of(HUB[name]).labels) == set(TASKS[name].words)
        assert wording(name, infills=False)["template"].endswith(("{label}", "{label} ."))
        assert set(wording(name, infills=True)["label_words"].values()) == set(TASKS[name].words.values())
    assert wording("mrpc", infills=True)["template"] == "{text} ? {label} , {text_pair}"
    for figures in PUBLISHED.values():
        assert set(figures) == set(Settings().tasks) - {"trec"}


def test_searches_start_from_the_same_text_with_published_settings_that_are_written_down() -> None:
    settings = Settings(evaluations=77)
    for method in ("bbt", "bbtv2", "random-search"):
        config = config_of(method, "sst2", 13, settings)
        assert (config.prompt, config.prompt_tokens) == (PROMPTS["sst2"], None)
        assert (config.dimension, config.population, config.alpha, config.evaluations) == (500, 20, 0.2, 77)
    assert config_of("random-search", "sst2", 13, settings).optimizer == "random-search"


def test_gradients_have_float32_whatever_the_precision_of_searches() -> None:
    settings = read_settings({"BLACKBOX_DTYPE": "bfloat16"}, quick=True)
    assert config_of("bbt", "sst2", 13, settings).dtype == "bfloat16"
    assert config_of("lora", "sst2", 13, settings).dtype == "float32"


def test_a_method_whose_preset_or_package_is_not_there_is_left_out_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("benchmarks.few_shot.PRESETS", {"bbt": {}})
    monkeypatch.setattr("benchmarks.few_shot.find_spec", lambda name: None if name == "setfit" else name)
    names, skipped = possible(Settings(methods=("start", "bbt", "bbtv2", "lora", "setfit")))
    assert names == ["start", "bbt", "lora"]
    assert skipped["bbtv2"] == "there is no preset 'bbtv2'"
    assert "blackbox-prompts[benchmarks]" in skipped["setfit"]


def test_a_part_is_measured_once_for_each_method_task_seed_and_extent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def measured(method: str, task: str, seed: int, settings: Settings) -> dict[str, object]:
        asked.append((method, task, seed, settings.evaluations))
        return {"number": len(asked)}

    monkeypatch.setenv("BLACKBOX_KEPT", str(tmp_path / "kept.jsonl"))
    monkeypatch.setattr("benchmarks.few_shot.measured", measured)
    assert one("bbt", "sst2", 13, Settings()) == one("bbt", "sst2", 13, Settings()) == {"number": 1}
    for method, seed, settings in (
        ("bbt", 21, Settings()),
        ("bbt", 13, Settings(evaluations=9)),
        ("lora", 13, Settings()),
    ):
        one(method, "sst2", seed, settings)
    one("lora", "sst2", 13, Settings(evaluations=9))  # gradients do not depend on it
    assert asked == [
        ("bbt", "sst2", 13, 900),
        ("bbt", "sst2", 21, 900),
        ("bbt", "sst2", 13, 9),
        ("lora", "sst2", 13, 900),
    ]


def test_memory_is_the_most_beyond_the_beginning_also_where_it_was_given_back() -> None:
    before = np.ones(25_000_000)  # 200 MB that are not counted
    memory = PeakMemory()
    assert memory.megabytes < 20
    block = np.ones(12_500_000)
    del block
    assert 90 < memory.megabytes < 130
    assert before.sum() == 25_000_000


def test_a_search_hands_out_its_labels_and_counts_the_rows_that_it_asked() -> None:
    task = small_task(test=20)
    fitted = search(task.changed(test=[]), make_config(QUICK))
    assert fitted.details["evaluations"] <= 60
    assert fitted.forward_rows == 8 * fitted.details["evaluations"]  # as many dev rows as training rows
    found = scores(fitted, task.test, n_labels=2)
    assert found["accuracy"]["rows"] == 20
    assert float(str(found["accuracy"]["value"])) == np.mean(fitted.predict(task.test) == task.test.labels)


def test_no_answer_is_no_label_and_counts_as_wrong() -> None:
    task = small_task(test=4)
    assert indices([Prediction("positive"), Prediction(None)], task.labels).tolist() == [1, -1]
    fitted = Fitted(lambda split: np.where(np.arange(4) < 2, split.labels, -1))
    assert scores(fitted, task.test, n_labels=2)["accuracy"]["value"] == 0.5


def test_rows_are_shown_by_turns_of_their_labels() -> None:
    labels = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])
    order = by_turns(labels, np.random.default_rng(1))
    assert sorted(order) == list(range(9))
    assert [sorted(labels[order[first : first + 3]]) for first in (0, 3, 6)] == [[0, 1, 2]] * 3


def test_without_a_folder_and_a_hub_it_is_said_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLACKBOX_DATA", str(tmp_path))
    with pytest.raises(MissingDataError, match=r"sst2: no test\.jsonl there"):
        make_task("sst2", 13, test_rows=5)
