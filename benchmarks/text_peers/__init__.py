"""This project's text searches beside the tools that people use: one server, one limit of calls, one scorer.

`python -m benchmarks text-peers`. The model is SmolLM2-135M-Instruct behind llama.cpp's server; it does the task and,
for the tools that ask for it, writes new instructions. All traffic goes through a proxy that counts and, at the limit,
refuses (`proxy`). Each tool runs as a program of its own (`programs`), the peers in virtual environments of their own
with pinned versions (`environments`).

What each is given, the same for all:

- the training and dev rows of `benchmarks.text_search.tasks`, the dev rows in an order drawn by the seed; the row in
  the task's template as input ("Review: ...", "Sentiment:"), the label word or the target as answer. No program sees a
  test row;
- a sentence that says what to do, and the same five instructions that begin with it (`tasks`), the first of which is
  the starting prompt. A tool that starts from one instruction gets the first, one that starts from a population all;
- `CALLS` calls of the model, whoever makes them for what: bootstrapping and proposals count. A tool ends when its own
  settings end it, or the limit does: then with the best that it returns by itself, and with the starting prompt where
  it breaks off without a result (`ended` in the figures says which);
- at most `TASK_TOKENS` tokens for an answer at temperature 0, `PROPOSAL_TOKENS` for a proposal at the tool's own
  temperature. No answer is kept from another run.

What each does with it; where nothing is said its defaults hold:

- `categorical`, `reflective` (this project): space `choices`. Labels are searched by their scores, which the server
  tells as log-probabilities; targets by exact match. Dev rows select. `reflective`: a population of 6.
- `mipro` (DSPy's MIPROv2): `dspy.Predict` of "input -> answer", training rows for its demonstrations, dev rows as
  valset, the 6 candidates and the minibatches of auto="light", but trials up to the limit. An answer or proposal
  without DSPy's markers is taken whole: by default it would be asked for again as JSON, and a proposal that fails
  there, too, ends the run. Failed calls end nothing (max_errors).
- `gepa`: the default adapter (the candidate is the system message), dev rows as valset, max_metric_calls = the limit,
  feedback in the words of its own evaluator. It shows no rows: that is the method.
- `capo`, `evoprompt-ga` (promptolution): labels by FirstOccurrencePredictor, targets by MarkerBasedPredictor, scored on
  dev rows. EvoPromptGA: the first 30, as `promptolution.optimize` has it. CAPO: blocks of 10 (of a third of the rows,
  where they are fewer than 30) in place of 30, which would leave one block and nothing to race; demonstrations come
  from the training rows instead of a tenth of the dev rows. Calls are not repeated after the limit's refusal.

What a tool hands back is messages with slots for a row. `scoring` fills in each test row, asks the same server and
reads all answers alike: the text between the tool's markers where it has any and they are there, else all of it; of it
the first label word, or for targets the whole by SQuAD's exact match. `test` is that; `exact` is the share of answers
that are the label word or target and nothing else; `label_scores` is this project's accuracy by log-probabilities.

It takes hours. `$BLACKBOX_KEPT` names a file that keeps what is done; processes with different seeds may share it:
`python -c "from benchmarks.text_peers import run; run(quick=False, seeds=(21,))"`.
"""

from collections.abc import Sequence

CALLS, QUICK = 500, 120


def run(
    *, quick: bool, tasks: Sequence[str] = (), seeds: Sequence[int] = (), methods: Sequence[str] = ()
) -> dict[str, object]:
    """Test scores by task, seed and method; `quick`: one task and seed, 120 calls, 20 test rows.

    Args:
        quick: for a look.
        tasks: these only.
        seeds: these only.
        methods: these only.

    Raises:
        MissingDataError: the data, the server or a tool's environment is not there and cannot be made.
    """
    from benchmarks.text_peers.comparison import compare  # the programs import this package without its needs

    return compare(quick=quick, tasks=tasks, seeds=seeds, methods=methods)
