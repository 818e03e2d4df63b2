import json
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.data import MissingDataError, data_folder


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


def test_a_folder_that_is_not_there_is_named_with_the_way_to_name_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLACKBOX_DATA", str(tmp_path))
    with pytest.raises(MissingDataError, match=r"sst2: no test\.jsonl there; name the folder .* BLACKBOX_DATA"):
        data_folder("sst2")
