"""A real local model, loaded once for several runs."""

from pathlib import Path

import pytest

import blackbox.backends.local
from blackbox import run_sweep, tune
from tests.blackbox.runs import outcome
from tests.blackbox.sweeps.small import small_sweep

pytestmark = pytest.mark.usefixtures("without_pictures")
models = pytest.importorskip("tests.backends.local.models")


def test_runs_on_a_model_that_others_have_used_equal_runs_on_one_that_was_just_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models.save_model(models.KINDS["llama"], tmp_path / "model", seed=1)
    values = small_sweep(tmp_path, methods={"deep": {}, "soft": {"space": "soft", "optimizer": "cma-es"}})
    values["settings"] |= {"backend": "local", "model": str(tmp_path / "model"), "device": "cpu"}
    loaded = []
    load = blackbox.backends.local.load_backend

    def counted(*arguments: object, **named: object) -> object:
        loaded.append(arguments)
        return load(*arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr("blackbox.backends.local.load_backend", counted)
        result = run_sweep(values, folder=tmp_path / "sweep")
    assert not result.failed
    assert len(loaded) == 1
    for record in result.records[1:]:
        alone = tmp_path / f"{record.run.method}-{record.run.seed}"
        tune(folder=alone, **{**values["settings"], **values["methods"][record.run.method], "seed": record.run.seed})
        assert outcome(record.run.folder) == outcome(alone)
