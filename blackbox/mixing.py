"""More training rows out of the given ones: MixPro (arXiv 2304.09402) for a model that is only queried.

MixPro mixes two examples at three levels: embeddings of their tokens, hidden states of whole texts, and templates.
Without the inside of a model and its gradients, mixing is done on texts, and only between two rows of one label, so
that the mixed row's label is theirs and needs no weight:

- token level: each word is the first row's with the probability lambda, else the second row's at the same share of its
  length, lambda ~ Beta(1/2, 1/2): what a mixed embedding stands for on the average, drawn;
- sentence level: both texts, one behind the other, in drawn order.

The rows of a label take turns in the two. Rows with several texts (pairs of sentences) are mixed at sentence level
only, first texts with first texts: words of two premises make no premise, but two that both entail their hypotheses do
so together. The third level is `robust` (`blackbox.turns`).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence

import numpy as np

from blackbox.turns import turns

_BETA = 0.5

Row = Mapping[str, object]


def mixed_rows(rows: Sequence[Row], labels: Sequence[int], fields: Sequence[str]) -> list[dict[str, object]]:
    """One mixed row for each row that has another of its label; fields that are no texts are the row's own.

    What is drawn depends on the rows alone.

    Args:
        rows: of a training split.
        labels: of the rows, one each.
        fields: that are mixed.
    """
    drawn = json.dumps([[str(row[field]) for field in fields] for row in rows]).encode()
    rng = np.random.default_rng(list(hashlib.sha256(drawn).digest()))
    mixed = []
    ways = turns(labels, 2)
    for number, row in enumerate(rows):
        partners = [other for other in range(len(rows)) if labels[other] == labels[number] and other != number]
        if not partners:
            continue
        other = rows[int(rng.choice(partners))]
        mix = mixed_words if ways[number] == 0 and len(fields) == 1 else joined_texts
        level = float(rng.beta(_BETA, _BETA)) if mix is mixed_words else float(rng.random())
        seed = int(rng.integers(2**32))
        texts = {field: mix(str(row[field]), str(other[field]), level, seed) for field in fields}
        mixed.append({**row, **texts})
    return mixed


def mixed_words(first: str, second: str, level: float, seed: int) -> str:
    """As many words as the first text has, each its own with the probability `level`, else the second text's there."""
    own, others = first.split(), second.split()
    if not own or not others:
        return first
    takes = np.random.default_rng(seed).random(len(own)) < level
    words = (
        word if take else others[place * len(others) // len(own)]
        for place, (word, take) in enumerate(zip(own, takes, strict=True))
    )
    return " ".join(words)


def joined_texts(first: str, second: str, level: float, seed: int) -> str:
    """Both texts; the second one in front where `level`, drawn from 0 to 1, is below a half."""
    return " ".join([second.strip(), first.strip()] if level < 0.5 else [first.strip(), second.strip()])
