"""Label words that are found: see `word_choice` for how; here the model is asked, and the best are scored for good.

All rows are training rows. The given words take part: they are replaced only by words with a lower training loss.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from blackbox.backends import Backend, Capability, Prompt, Usage, VocabularyBackend, require
from blackbox.errors import SettingError
from blackbox.graders import ScoreGrader
from blackbox.split import Split, shown_rows
from blackbox.task import Task
from blackbox.verbalizers.word_choice import FloatArray, candidate_words, combinations

_CANDIDATES = 100  # of a label, as in LM-BFF
_WORK = 4000  # candidates of all labels together at most, where that leaves more than labels
SCORED = 8
"""Combinations that are scored by the model itself, the given one beside them."""


@dataclass(frozen=True)
class FoundWords:
    """Label words, and what it took to find them.

    Attributes:
        words: in the order of the labels.
        loss: of the starting prompt with them on the training rows.
        given, given_loss: the words of the task, and the same with those.
        scored: other combinations that were scored, with their losses, the lowest first.
        evaluations: as a budget counts them: the table is one, each combination that was scored another.
        usage: what they cost.
    """

    words: tuple[str, ...]
    loss: float
    given: tuple[str, ...]
    given_loss: float
    scored: tuple[tuple[tuple[str, ...], float], ...]
    evaluations: int
    usage: Usage

    def to_dict(self) -> dict[str, object]:
        """JSON values; `from_dict` makes it again."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "FoundWords":
        """What `to_dict` wrote.

        Raises:
            KeyError, TypeError, ValueError: the values are something else's.
        """
        parts = {**values, "words": tuple(values["words"]), "given": tuple(values["given"])}
        parts["scored"] = tuple((tuple(words), loss) for words, loss in values["scored"])
        return cls(**{**parts, "usage": Usage(**values["usage"])})


def most_evaluations() -> int:
    """What finding words counts in a budget at most."""
    return 1 + 1 + SCORED


def find_words(backend: Backend, task: Task, prompt: Prompt) -> FoundWords:
    """The words with the lowest training loss behind a prompt.

    Args:
        backend: tells how probable every token is at the blank.
        task: with label words, which are the given ones.
        prompt: the start of the search.

    Raises:
        SettingError: a task with targets.
        UnsupportedPromptError: the backend does not tell.
    """
    if not isinstance(task.grader, ScoreGrader) or not task.labels:
        raise SettingError("setting 'verbalizer': words are searched for labels; the task has targets, numbers or tags")
    require(backend, Capability.VOCABULARY)
    if not isinstance(backend, VocabularyBackend):
        raise SettingError(f"backend {backend.name!r} says it tells the vocabulary but is no VocabularyBackend")
    train = _rows(task, prompt)
    given = train.form.blank.choices
    choices, usage = _choices(backend, task.grader, prompt, train)
    scored = {}
    for words in (given, *[one for one in choices if one != given][:SCORED]):
        scored[words], cost = _loss(backend, task.grader, prompt, train.with_words(words))
        usage += cost
    best = min(scored, key=scored.__getitem__)
    others = sorted((words for words in scored if words not in (best, given)), key=scored.__getitem__)
    return FoundWords(
        best,
        scored[best],
        given,
        scored[given],
        tuple((words, scored[words]) for words in others),
        1 + len(scored),
        usage,
    )


def _rows(task: Task, prompt: Prompt) -> Split:
    """The training rows in the prompt's form, without those that it shows with their answers."""
    train, shown = task.train.in_form_of(prompt), shown_rows(prompt, task.train)
    rows = [row for row in range(len(train)) if row not in shown]
    if len(set(train.labels[rows].tolist())) < len(task.labels):
        raise SettingError(
            "setting 'verbalizer': every label needs a training row that the starting prompt does not show"
        )
    return train.take(rows) if shown else train


def _choices(
    backend: VocabularyBackend, grader: ScoreGrader, prompt: Prompt, train: Split
) -> tuple[list[tuple[str, ...]], Usage]:
    """Combinations of words, the most promising first, and what the table cost."""
    answer = backend.blank_states([prompt], train.queries)
    if np.isnan(answer.vectors).any():
        raise SettingError("setting 'verbalizer': the model's states are no finite numbers behind the starting prompt")
    table = backend.token_log_probabilities(answer.vectors[0])
    query = train.queries[0]
    of_tokens = {token: word for token, word in backend.whole_words(query).items() if token < table.shape[1]}
    tokens = _one_of_each(table, of_tokens)
    words = [of_tokens[token] for token in tokens]
    count = max(len(train.form.blank.labels) + 8, min(_CANDIDATES, _WORK // len(train.form.blank.labels)))
    candidates = candidate_words(table[:, tokens], train.labels, count=2 * count)
    candidates = [
        [place for place in of_label if backend.is_one_token(query, words[place])][:count] for of_label in candidates
    ]
    given = train.form.blank.choices
    start = tuple(words.index(word) for word in given) if set(given) <= set(words) else None
    found = combinations(table[:, tokens], train.labels, candidates, grader.loss, start=start)
    return [tuple(words[place] for place in one) for one in found], answer.usages[0]


def _one_of_each(table: FloatArray, of_tokens: Mapping[int, str]) -> list[int]:
    """Tokens of different words: of words that differ in capitals only, the likelier one."""
    best: dict[str, int] = {}
    means = table.mean(axis=0)
    for token, word in of_tokens.items():
        before = best.setdefault(word.casefold(), token)
        if means[token] > means[before]:
            best[word.casefold()] = token
    return sorted(best.values())


def _loss(backend: Backend, grader: ScoreGrader, prompt: Prompt, split: Split) -> tuple[float, Usage]:
    [(answers, usage)] = grader.ask(backend, [prompt], split)
    return answers.mean_loss, usage
