import json
from pathlib import Path

import pytest

from benchmarks.few_shot.launch import measured
from benchmarks.few_shot.part import main
from benchmarks.few_shot.settings import Settings
from benchmarks.few_shot.summary import COSTS
from benchmarks.few_shot.table import PROMPTS
from tests.backends.local.models import KINDS, save_model

ROWS = [
    {"text": f"{text} {number * 'and '}".strip(), "label": label}
    for number in range(4)
    for text, label in (("the worst evening", "negative"), ("great love", "positive"))
]
pytestmark = [
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning"),  # peft 0.21
    pytest.mark.filterwarnings("ignore:Could not find a config file:UserWarning"),
]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small SST-2, and a start that small models can read."""
    folder = tmp_path / "data" / "sst2"
    (folder / "fewshot16").mkdir(parents=True)
    for name, rows in (
        ("fewshot16/seed13_train", ROWS[:4]),
        ("fewshot16/seed13_dev", ROWS[4:]),
        ("test", ROWS),
    ):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.setenv("BLACKBOX_DATA", str(tmp_path / "data"))
    monkeypatch.setitem(PROMPTS, "sst2", "a film ")


def settings_of(folder: Path, kind: str) -> dict[str, object]:
    """Few evaluations of a random model of a kind."""
    save_model(KINDS[kind], folder / kind, seed=1)
    return {"model": str(folder / kind), "evaluations": 48, "epochs": 2, "test_rows": 6}


@pytest.mark.parametrize("kind", ["llama", "roberta"])
@pytest.mark.parametrize("method", ["start", "demonstrations", "random-search", "bbt", "bbtv2", "lora", "deep-tuning"])
@pytest.mark.usefixtures("data")
def test_every_method_has_scores_and_costs_on_models_that_continue_and_that_fill_in(
    method: str, kind: str, tmp_path: Path
) -> None:
    found = main({"method": method, "task": "sst2", "seed": 13, "settings": settings_of(tmp_path, kind)})
    assert found["accuracy"]["rows"] == 6
    assert set(COSTS) <= set(found)
    assert (found["forward_rows"] > 0) == (method not in ("start", "demonstrations"))
    assert (found["backward_rows"] > 0) == (method in ("lora", "deep-tuning"))
    json.dumps(found, allow_nan=False)


@pytest.mark.usefixtures("data")
def test_a_method_that_there_is_not_for_a_model_says_so_and_has_no_figures(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "roberta")
    found = main({"method": "prompt-tuning", "task": "sst2", "seed": 13, "settings": settings})
    assert found.keys() == {"method", "task", "seed", "skipped"}


@pytest.mark.usefixtures("data")
def test_a_part_that_fails_in_its_process_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)start on sst2, seed 13: .*not-here"):
        measured("start", "sst2", 13, Settings(model=str(tmp_path / "not-here")))
