import logging
import math
import struct
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from blackbox.evaluation import Evaluation
from blackbox.metrics import Measured
from blackbox.report.curve import draw_curve

Make = Callable[..., tuple[Evaluation, ...]]
MakeOne = Callable[..., Evaluation]


def png_size(path: Path) -> tuple[int, int]:
    """Width and height as a PNG's first chunk has them (PNG specification, section 11.2.2)."""
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    return width, height


@pytest.mark.parametrize("dev", [True, False])
@pytest.mark.parametrize("test", [True, False])
def test_the_curve_is_a_png_of_9_by_6_inches_at_150_dpi(
    tmp_path: Path, small_history: Make, dev: bool, test: bool
) -> None:
    assert draw_curve(small_history(dev=dev, test=test), tmp_path / "curve.png")
    assert png_size(tmp_path / "curve.png") == (1350, 900)


def test_every_beginning_of_a_run_can_be_drawn(tmp_path: Path, small_history: Make) -> None:
    for length in (1, 2, 3, 4):
        assert draw_curve(small_history()[:length], tmp_path / "curve.png")


def test_a_run_without_any_answer_can_be_drawn(tmp_path: Path, evaluation: MakeOne, numbered: Make) -> None:
    history = numbered([evaluation("train", math.inf, "start"), evaluation("dev", math.inf, "start")])
    assert draw_curve(history, tmp_path / "curve.png")


def test_an_interval_that_does_not_hold_its_value_can_be_drawn(tmp_path: Path, small_history: Make) -> None:
    start, look, *rest = small_history()
    odd = replace(look, measured=Measured("macro-f1", 0.5, 0.55, 0.9, 32))
    assert draw_curve([start, odd, *rest], tmp_path / "curve.png")


def test_looks_that_have_a_loss_and_no_metric_can_be_drawn(tmp_path: Path, small_history: Make) -> None:
    history = [replace(found, measured=None) for found in small_history()]
    assert draw_curve(history, tmp_path / "curve.png")
    assert png_size(tmp_path / "curve.png") == (1350, 900)


def test_losses_far_above_all_others_can_be_drawn(tmp_path: Path, evaluation: MakeOne, numbered: Make) -> None:
    losses = [0.7] * 200 + [50.0]
    flat = numbered([evaluation("train", loss, str(number)) for number, loss in enumerate(losses)])
    sloped = [replace(found, loss=found.loss - 0.001 * found.number) for found in flat]
    assert draw_curve(flat, tmp_path / "flat.png")
    assert draw_curve(sloped, tmp_path / "sloped.png")


def test_an_empty_history_makes_no_picture(tmp_path: Path) -> None:
    assert not draw_curve([], tmp_path / "curve.png")
    assert not (tmp_path / "curve.png").exists()


def test_drawing_leaves_pyplot_alone(tmp_path: Path, small_history: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    draw_curve(small_history(), tmp_path / "curve.png")
    assert "matplotlib.pyplot" not in sys.modules


def test_without_matplotlib_one_line_says_what_to_install(
    tmp_path: Path, small_history: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with caplog.at_level(logging.INFO, logger="blackbox"):
        assert not draw_curve(small_history(), tmp_path / "curve.png")
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert "pip install 'blackbox-prompts[plots]'" in caplog.text
    assert not (tmp_path / "curve.png").exists()
