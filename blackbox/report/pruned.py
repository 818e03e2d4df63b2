"""What pruning has made of a prompt, in lines for the terminal."""

from pathlib import Path

from blackbox.figures import Figure
from blackbox.pruning.prune import Pruned


def pruned_in_words(found: Pruned, run: Path) -> list[str]:
    """Parts, dev figure, training loss and tokens a row, before and after, and where the shorter prompt is."""
    before, after = found.before, found.after
    lines = [f"{name}: {count} -> {after.parts[name]}" for name, count in before.parts.items() if count]
    lines.append(f"dev: {_figure(before.dev)} -> {_figure(after.dev)}")
    if found.dev_change:
        one = found.dev_change
        lines.append(f"dev, row by row: {one.difference:+.3f} ({one.low:+.3f} to {one.high:+.3f}, {one.rows} rows)")
    lines.append(f"train loss: {before.train_loss:.4f} -> {after.train_loss:.4f}")
    if before.row_prompt_tokens is not None and after.row_prompt_tokens is not None:
        lines.append(f"a row takes {before.row_prompt_tokens:,.1f} -> {after.row_prompt_tokens:,.1f} prompt tokens")
    return [*lines, f"{found.evaluations} evaluations; the shorter prompt is in {run / 'pruned'}"]


def _figure(figure: Figure | None) -> str:
    return f"{figure.metric} {figure.brief}" if figure else "–"
