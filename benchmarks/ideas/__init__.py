"""Does an idea of the literature help here? Each against the same search without it, on real tasks and a real model.

`benchmarks.paired_searches` says how. It takes hours: Ctrl-C ends it with the figures of what is done,
`$BLACKBOX_KEPT` names a file that keeps these for the next time, and `$BLACKBOX_SEEDS` the seeds of a process.
"""

from benchmarks.ideas.table import IDEAS
from benchmarks.paired_searches import compared, searched_all

EVALUATIONS = 150


def run(*, quick: bool) -> dict[str, object]:
    """Points gained by each idea; `quick`: one task and seed, 12 evaluations, a few ideas."""
    made = searched_all(IDEAS, evaluations=EVALUATIONS, quick=quick)
    rows = compared(IDEAS, made["searches"])
    ideas = [{"idea": name, "source": IDEAS[name].of, **row} for name, row in rows.items()]
    return {"ideas": ideas, **made}
