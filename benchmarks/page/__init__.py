"""`python -m benchmarks page`: one page of all kept results, its pictures, and the figures in the project's README.

The text depends on the results alone, so that a test can tell whether it is current.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.demo import evaluation_of
from benchmarks.page.headlines import headline_table
from benchmarks.page.plots import PLOTS, draw_plot
from benchmarks.page.results import Kept, read_results
from benchmarks.page.tables import blocks_of
from benchmarks.page.words import HIDDEN, SAID
from blackbox.report.curve import draw_curve

ROOT = Path(__file__).parents[2]
PAGE, README = ROOT / "benchmarks" / "README.md", ROOT / "README.md"
CURVE, CURVE_OF = ROOT / "docs" / "images" / "curve.png", "demo"
BEGIN, END = "<!-- figures: written by python -m benchmarks page -->", "<!-- end of the figures -->"
_HEAD = """# Benchmarks

<!-- Written by `python -m benchmarks page`; a test keeps it current. -->

Every figure is in `results/`, with the machine, the versions and the date, and is made by the command that stands with
it. `--quick` is a look that proves nothing, `--save` keeps the figures. `speed` and `reliability` run several.
"""


def write_page(folder: Path, benchmarks: Mapping[str, str]) -> None:
    """Write the page, its pictures and the README's figures from a folder of results.

    Args:
        folder: of the results; pictures go into `plots/` there.
        benchmarks: what each one measures, by name.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    results = read_results(folder, benchmarks)
    (folder / "plots").mkdir(exist_ok=True)
    for name in drawn(results):
        (folder / "plots" / f"{name}.png").write_bytes(draw_plot(PLOTS[name], results[name].figures))
    if CURVE_OF in results:
        lines = results[CURVE_OF].figures["history"]
        CURVE.parent.mkdir(exist_ok=True)
        draw_curve([evaluation_of(number, line) for number, line in enumerate(lines)], CURVE)
    PAGE.write_text(page_text(results, benchmarks), encoding="utf-8")
    README.write_text(with_figures(README.read_text(encoding="utf-8"), results), encoding="utf-8")


def drawn(results: Mapping[str, Kept]) -> list[str]:
    """The benchmarks whose results have what their picture shows."""
    return [name for name, plot in PLOTS.items() if name in results and plot.parts(results[name].figures)]


def with_figures(readme: str, results: Mapping[str, Kept]) -> str:
    """The README with the figures that matter most between its two marks.

    Raises:
        ValueError: a mark is not there.
    """
    before, rest = _parted(readme, BEGIN)
    _, after = _parted(rest, END)
    return f"{before}{BEGIN}\n\n{headline_table(results)}\n\n{END}{after}"


def _parted(text: str, mark: str) -> tuple[str, str]:
    before, found, after = text.partition(mark)
    if not found:
        raise ValueError(f"the README has no {mark}")
    return before, after


def page_text(results: Mapping[str, Kept], benchmarks: Mapping[str, str]) -> str:
    """The page, in Markdown."""
    missing = ", ".join(f"`{name}`" for name in benchmarks if name not in results)
    kept = [f"| [{name}](#{name}) | {benchmarks[name]} | {one.date} |" for name, one in results.items()]
    contents = "\n".join(["| benchmark | what it measures | measured |", "|---|---|---|", *kept])
    sections = [block for name, one in results.items() for block in _section(one, benchmarks[name], results)]
    unkept = [f"No kept result yet: {missing}."] if missing else []
    return "\n\n".join([_HEAD.rstrip(), contents, *unkept, *sections]) + "\n"


def _section(kept: Kept, what: str, results: Mapping[str, Kept]) -> Iterator[str]:
    name = kept.name
    yield f"## {name}"
    yield f"{what[0].upper()}{what[1:]}. {SAID.get(name, '')}".rstrip()
    versions = ", ".join(f"{package} {version}" for package, version in kept.versions.items())
    took = f"{kept.seconds:,.0f} s" if kept.seconds else ""
    yield f"`python -m benchmarks {name}`: {'; '.join(filter(None, (kept.machine, kept.date, took, versions)))}."
    if name in drawn(results):
        yield f"![{PLOTS[name].caption}](results/plots/{name}.png)"
    if name == CURVE_OF:
        yield "![The learning curve](../docs/images/curve.png)"
    yield from blocks_of(_without(kept.figures, HIDDEN.get(name, ())))


def _without(figures: Any, hidden: Sequence[str]) -> Any:
    """Figures without parts of these names, wherever they stand."""
    if isinstance(figures, Mapping):
        return {key: _without(value, hidden) for key, value in figures.items() if key not in hidden}
    return [_without(one, hidden) for one in figures] if isinstance(figures, list) else figures
