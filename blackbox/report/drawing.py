"""How pictures are drawn: one look, and none where matplotlib is not installed."""

import io
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LOG = logging.getLogger(__name__)
_DPI = 150
_ONE_AT_A_TIME = threading.Lock()
"""Matplotlib is not made for threads: https://matplotlib.org/stable/users/faq.html#work-with-threads"""

FAINT, BLUE, ORANGE, GREEN, GREY = "#9db4cf", "#1f5fa8", "#c8591b", "#2b7a4b", "#5b6470"
PALE = "#eab89c"
_LINE, _EDGE = "#e4e8ee", "#b8c0ca"


def picture(draw: "Callable[[Figure], None]", *, inches: tuple[float, float]) -> bytes | None:
    """A PNG of what `draw` puts on an empty figure of a width and height; None without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        _LOG.info("no pictures without matplotlib: pip install 'blackbox-prompts[plots]'")
        return None
    with _ONE_AT_A_TIME:
        figure = Figure(figsize=inches, dpi=_DPI, layout="constrained", facecolor="white")
        figure.get_layout_engine().set(w_pad=0.12, h_pad=0.08)  # type: ignore[union-attr, call-arg]
        draw(figure)
        content = io.BytesIO()
        FigureCanvasAgg(figure)
        figure.savefig(content, format="png")
        return content.getvalue()


def tidy(panel: "Axes", *, left: float, right: float) -> None:
    """A panel over numbers of evaluations, from `left` to `right`, with its legend above it."""
    from matplotlib.ticker import MaxNLocator

    panel.set_xlim(left, right)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    panel.xaxis.set_major_formatter("{x:,.0f}")
    plain(panel)
    if panel.get_legend_handles_labels()[0]:
        panel.legend(frameon=False, fontsize=9, ncols=4, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)


def plain(panel: "Axes") -> None:
    """Light lines behind what is drawn, and no frame."""
    panel.grid(color=_LINE, linewidth=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(_EDGE)
    panel.tick_params(color=_EDGE, labelsize=9)
