import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import page
from benchmarks.data import MissingDataError, data_folder

FIGURES = {"kills": 10, "chains": 2, "as_unbroken": 1}


def measured(name: str, *, quick: bool) -> dict[str, object]:
    """Figures of all benchmarks but one, whose data is missing."""
    if name == "sst2":
        raise MissingDataError("data/sst2: no test.jsonl there")
    return {"benchmark": name}


@pytest.mark.parametrize(("name", "figures"), [("sst2", None), ("all", ["optimizer-cost"])])
def test_missing_data_is_said_on_stderr_with_exit_code_2_and_costs_no_other_figures(
    name: str, figures: list[str] | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", name])
    monkeypatch.setattr(benchmarks, "measured", measured)
    monkeypatch.setattr(benchmarks, "BENCHMARKS", {"sst2": "", "optimizer-cost": ""})
    assert benchmarks.main() == 2
    said = capsys.readouterr()
    assert said.err == "sst2: data/sst2: no test.jsonl there\n"
    printed = json.loads(said.out.splitlines()[-1])
    assert (list(printed) if printed else None) == figures


@pytest.mark.parametrize("group", benchmarks.GROUPS)
def test_a_group_runs_its_benchmarks_one_by_one(
    group: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", group])
    monkeypatch.setattr(benchmarks, "measured", measured)
    assert benchmarks.main() == 0
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(printed) == list(benchmarks.GROUPS[group])
    assert all(name in benchmarks.BENCHMARKS for name in printed)


def test_every_benchmark_has_a_module_and_no_group_its_name() -> None:
    for name in benchmarks.BENCHMARKS:
        assert find_spec(f"benchmarks.{benchmarks.module_of(name)}")
    assert not {*benchmarks.GROUPS, "all", benchmarks.PAGE} & set(benchmarks.BENCHMARKS)


def test_the_page_is_written_from_the_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("PAGE", "README", "CURVE"):
        monkeypatch.setattr(page, name, tmp_path / name)
    monkeypatch.setattr(benchmarks, "RESULTS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "page"])
    (tmp_path / "README").write_text(f"# x\n\n{page.BEGIN}\nold\n{page.END}\nlast\n")
    made = {"machine": "m", "date": "2026-01-02", "seconds": 3.0, "versions": {"numpy": "2"}, "figures": FIGURES}
    (tmp_path / "run-kills.json").write_text(json.dumps(made))
    assert benchmarks.main() == 0
    assert "| 10 kills: 1 of 2 runs end as the unbroken one |" in (tmp_path / "README").read_text()
    assert (tmp_path / "README").read_text().endswith("last\n")
    assert "`python -m benchmarks run-kills`: m; 2026-01-02; 3 s; numpy 2." in (tmp_path / "PAGE").read_text()
    assert not (tmp_path / "CURVE").exists()


def test_a_folder_that_is_not_there_is_named_with_the_way_to_name_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLACKBOX_DATA", str(tmp_path))
    with pytest.raises(MissingDataError, match=r"sst2: no test\.jsonl there; name the folder .* BLACKBOX_DATA"):
        data_folder("sst2")
