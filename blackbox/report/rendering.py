"""Pages from their templates: each one file that needs nothing else, neither network nor script."""

import math
from pathlib import Path


def render(template: str, **values: object) -> str:
    """The HTML of a template beside this file; text in the values is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters |= {"loss": _loss, "percent": "{:.1%}".format}
    return pages.get_template(template).render(values)


def _loss(loss: float | None) -> str:
    if loss is None:
        return "–"
    return f"{loss:.4f}" if math.isfinite(loss) else "no answer"
