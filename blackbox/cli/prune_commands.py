"""The command that prunes the prompt of a run."""

from typing import Annotated

import typer

from blackbox.cli.console import err, out
from blackbox.cli.predict_commands import RunArgument
from blackbox.pruning.prune import EVALUATIONS, TOLERANCE
from blackbox.pruning.prune import prune as prune_run
from blackbox.report.pruned import pruned_in_words


def prune(
    run: RunArgument,
    *,
    evaluations: Annotated[
        int, typer.Option(min=1, help="Budget: prompts scored on the training rows, looks at the dev rows included.")
    ] = EVALUATIONS,
    tolerance: Annotated[
        float, typer.Option(min=0.0, help="How much higher the dev loss may be where the metric is no worse, nats.")
    ] = TOLERANCE,
) -> None:
    """Take out of a run's prompt what it can do without, while its dev score is not worse; into RUN/pruned.

    Tokens and layers of vectors; shown rows, sentences and words of a text. A call that was stopped goes on.
    """
    with err.status("pruning"):
        found = prune_run(run, evaluations=evaluations, tolerance=tolerance)
    for line in pruned_in_words(found, run):
        out.print(line, highlight=False, markup=False)
