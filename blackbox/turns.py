"""Which of several templates a row is put in where a search shall not go by one: rows take turns.

PAFT (arXiv 2502.12859) tunes under templates that are drawn anew in each step, so that a prompt does not lean on the
wording of one. Here each training row keeps its template, so that losses of different generations compare, every
candidate meets all templates, and an evaluation costs what it costs with one.
"""

from collections.abc import Iterable


def turns(groups: Iterable[int], count: int) -> list[int]:
    """The template of each row, 0 to count - 1.

    Args:
        groups: the right option of each row. The n-th row of group g has template (n + g) mod count: within a label all
            templates are met equally often, and no template tells the label.
        count: of the templates.
    """
    met: dict[int, int] = {}
    found = []
    for group in map(int, groups):
        found.append((met.get(group, 0) + group) % count)
        met[group] = met.get(group, 0) + 1
    return found
