import re
import threading
import time
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from blackbox.budget import Budget
from blackbox.callbacks import Callback, Progress
from blackbox.callbacks.progress import ProgressDisplay, in_words
from blackbox.figures import MeanLoss
from blackbox.metrics import Measured

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


def terminal(*, width: int = 120, kind: str = "xterm") -> tuple[Console, StringIO]:
    """A terminal, and what is written to it."""
    written = StringIO()
    return Console(file=written, force_terminal=True, width=width, _environ={"TERM": kind}), written


def log_file() -> tuple[Console, StringIO]:
    """A console that is no terminal, and what is written to it."""
    written = StringIO()
    return Console(file=written, force_terminal=False, width=40), written


def progress_at(evaluations: int, *, rate: float = 10.0, seconds: float | None = None) -> Progress:
    """A blockwise search with dev rows, so far."""
    return Progress(
        budget=Budget(8000, seconds),
        evaluations=evaluations,
        generation=62,
        block=11,
        train_loss=0.4321,
        dev=Measured("accuracy", 0.875, 0.72, 0.95, 32),
        elapsed=evaluations / 10.0,
        rate=rate,
    )


def start() -> Progress:
    """A search before its first evaluation."""
    return Progress(Budget(8000), 0, 0, None, None, None, 0.0, 0.0)


def plain(written: StringIO) -> str:
    """What was written, without control sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written.getvalue())


def test_it_is_a_callback() -> None:
    assert isinstance(ProgressDisplay(), Callback)


@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_shows_all_figures_on_one_line(width: int) -> None:
    console, written = terminal(width=width)
    with ProgressDisplay(console) as display:
        display.on_start(start())
        display.on_evaluations((), progress_at(1240))
    line = plain(written).rstrip("\n").split("\r")[-1]
    assert "1,240/8,000 gen 62 block 11 loss 0.4321 dev 87.5% 10/s 11 min left" in line
    assert "\n" not in line
    assert len(line) <= width


def test_the_bar_grows_with_the_evaluations() -> None:
    full = []
    for evaluations in (0, 4000, 8000):
        console, written = terminal()
        with ProgressDisplay(console) as display:
            display.on_start(start())
            display.on_generation(progress_at(evaluations))
        last = written.getvalue().split("\r")[-1]
        bars = re.findall("((?:\x1b\\[[0-9;]*m)*)([━╸]+)", last)
        full.append(len(bars[0][1]) if evaluations else 0)
    assert 0 == full[0] < full[1] < full[2]


def test_the_end_stops_the_line_and_tells_the_time_taken() -> None:
    console, written = terminal()
    display = ProgressDisplay(console)
    display.on_start(start())
    display.on_end(progress_at(4200), "target")
    assert written.getvalue().endswith("\n" + SHOW_CURSOR)
    assert "4,200/8,000" in plain(written)
    assert "in 7 min 00 s" in plain(written)


def test_an_exception_leaves_the_terminal_clean() -> None:
    console, written = terminal()
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt), ProgressDisplay(console) as display:
        display.on_start(start())
        assert HIDE_CURSOR in written.getvalue()
        refreshing = set(threading.enumerate()) - before
        raise KeyboardInterrupt
    assert written.getvalue().endswith("\n" + SHOW_CURSOR)
    assert len(refreshing) == 1
    for thread in refreshing:
        thread.join(timeout=5)
        assert not thread.is_alive()


def test_nothing_is_written_after_the_end() -> None:
    console, written = terminal()
    with ProgressDisplay(console) as display:
        display.on_start(start())
        display.on_end(progress_at(8000), "evaluations")
        before = written.getvalue()
        display.on_evaluations((), progress_at(8000))
        time.sleep(0.3)  # longer than the time between two refreshes
    assert written.getvalue() == before


def test_a_display_can_watch_a_second_search() -> None:
    console, written = terminal()
    with ProgressDisplay(console) as display:
        display.on_start(start())
        display.on_end(progress_at(8000), "evaluations")
        display.on_start(start())
        display.on_start(start())
    assert written.getvalue().count(HIDE_CURSOR) == written.getvalue().count(SHOW_CURSOR) == 3


def test_a_display_that_was_never_started_writes_nothing() -> None:
    console, written = terminal()
    with ProgressDisplay(console):
        pass
    assert written.getvalue() == ""


def test_without_a_terminal_nothing_is_written_before_the_interval_has_passed() -> None:
    console, written = log_file()
    with ProgressDisplay(console) as display:
        display.on_start(start())
        display.on_evaluations((), progress_at(1240))
        display.on_generation(progress_at(1240))
        display.on_end(progress_at(8000), "evaluations")
    assert written.getvalue() == ""


def test_without_a_terminal_a_plain_line_shows_life_once_an_interval() -> None:
    console, written = log_file()
    with ProgressDisplay(console, quiet_interval=0.05) as display:
        display.on_start(start())
        time.sleep(0.06)
        display.on_evaluations((), progress_at(1240))
        display.on_evaluations((), progress_at(1245))
    assert written.getvalue() == in_words(progress_at(1240)) + "\n"


def test_a_dumb_terminal_is_written_to_as_a_log_is() -> None:
    console, written = terminal(kind="dumb")
    with ProgressDisplay(console, quiet_interval=0.0) as display:
        display.on_start(start())
        display.on_evaluations((), progress_at(1240))
    assert written.getvalue() == in_words(progress_at(1240)) + "\n"


def test_the_display_goes_to_stderr_so_that_stdout_is_left_to_data(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressDisplay(quiet_interval=0.0) as display:
        display.on_start(start())
        display.on_evaluations((), progress_at(1240))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "1,240/8,000 evaluations" in captured.err


def test_the_words_name_every_figure() -> None:
    assert in_words(progress_at(1240)) == (
        "1,240/8,000 evaluations, generation 62 block 11, loss 0.4321, dev accuracy 87.5%, 10/s, 11 min left"
    )


def test_a_task_without_a_metric_has_its_dev_loss_shown() -> None:
    progress = replace(progress_at(1240), dev=MeanLoss(1.25, 32))
    assert "loss 0.4321, dev loss 1.2500, 10/s" in in_words(progress)
    console, written = terminal(width=80)
    with ProgressDisplay(console) as display:
        display.on_start(start())
        display.on_evaluations((), progress)
    assert "loss 0.4321 dev 1.2500 10/s" in plain(written)


def test_the_words_leave_out_what_is_not_known_yet() -> None:
    assert in_words(start()) == "0/8,000 evaluations, generation 0"


@pytest.mark.parametrize(("rate", "words"), [(0.0512, "0.0512/s"), (99.96, "100/s"), (3491.6, "3,492/s")])
def test_rates_are_written_without_exponents(rate: float, words: str) -> None:
    assert f", {words}, " in in_words(progress_at(1240, rate=rate))


def test_the_time_left_is_never_below_zero() -> None:
    assert in_words(progress_at(1240, seconds=100.0)).endswith("0.0 s left")
