"""Tags: every token of a sentence has a label, and is asked for on its own, by one prompt and one template.

Source: ToPro, token-level prompt decomposition (Ma et al. 2024, arXiv 2401.16486). A row is a sentence; what a model is
asked are its tokens, each with the fields of the sentence and four of its own: `text` (the tokens joined by blanks,
where the sentence has no `text`), `token`, and what stands on its `left` and `right`. Templates that begin with
`{text}` are cheap: the tokens of a sentence share that front.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from blackbox.errors import DataError
from blackbox.filling import Prediction
from blackbox.label_words import LabelWords, Row

_SENTENCE = "sentence number"  # no name of a slot
_OWN = ("token", "left", "right", _SENTENCE)


@dataclass(frozen=True)
class Tags(LabelWords):
    """As label words whose labels are the tags; `label_field` holds the list of them.

    Attributes:
        tokens_field: the field that holds the list of tokens.
    """

    tokens_field: str = "tokens"

    @property
    def sampled_by(self) -> None:
        """Any sentences will do."""
        return None

    @property
    def terms(self) -> dict[str, object]:
        return {**super().terms, "tags_field": self.label_field, "tokens_field": self.tokens_field}

    def asked(self, rows: Sequence[tuple[str, Row]]) -> list[Row]:
        """The tokens of named sentences, each as a row."""
        return [row for number, (where, row) in enumerate(rows, start=1) for row in self._tokens(row, number, where)]

    def given(self, asked: Sequence[Row]) -> list[Row]:
        """The sentences of tokens."""
        sentences: list[Row] = []
        for _, group in groupby(asked, key=lambda row: row[_SENTENCE]):
            tokens = list(group)
            rest = {name: value for name, value in tokens[0].items() if name not in (*_OWN, self.label_field)}
            lists = {self.tokens_field: [row["token"] for row in tokens]}
            if self.label_field in tokens[0]:
                lists[self.label_field] = [row[self.label_field] for row in tokens]
            sentences.append({**rest, **lists})
        return sentences

    def right_options(self, rows: Sequence[Row], *, where: str) -> npt.NDArray[np.int64]:
        places = {label: place for place, label in enumerate(self.labels)}
        for row in rows:
            sentence = f"{where} row {row[_SENTENCE]}"
            if self.label_field not in row:
                raise DataError(f"{sentence} has no field {self.label_field!r} with its tags")
            if row[self.label_field] not in places:
                raise DataError(
                    f"{sentence} has tag {row[self.label_field]!r}, which is not in label_words: "
                    f"{', '.join(self.labels)}"
                )
        return np.array([places[str(row[self.label_field])] for row in rows], dtype=np.int64)

    def joined(self, predictions: Sequence[Prediction], asked: Sequence[Row]) -> list[Prediction]:
        """The tags of each sentence."""
        pairs = zip(predictions, asked, strict=True)
        return [
            Prediction(tags=[prediction.label for prediction, _ in group])
            for _, group in groupby(pairs, key=lambda pair: pair[1][_SENTENCE])
        ]

    def _tokens(self, row: Row, number: int, where: str) -> list[Row]:
        tokens = _texts(row, self.tokens_field, where)
        tags = _texts(row, self.label_field, where) if row.get(self.label_field) is not None else None
        if not tokens:
            raise DataError(f"{where} has no token in its field {self.tokens_field!r}")
        if tags is not None and len(tags) != len(tokens):
            raise DataError(f"{where} has {len(tokens)} tokens and {len(tags)} tags; each token needs its own")
        if taken := next((name for name in _OWN if name in row), None):
            raise DataError(f"{where} has a field {taken!r} of its own, which each of its tokens has; rename it")
        lists = (self.tokens_field, self.label_field)
        rest = {"text": " ".join(tokens), **{name: value for name, value in row.items() if name not in lists}}
        return [
            {
                **rest,
                "token": token,
                "left": " ".join(tokens[:place]),
                "right": " ".join(tokens[place + 1 :]),
                _SENTENCE: str(number),
                **({self.label_field: tags[place]} if tags else {}),
            }
            for place, token in enumerate(tokens)
        ]


def sentences_of(rows: Sequence[Row]) -> npt.NDArray[np.int64]:
    """The number of the sentence of each token that is asked, shape (n_rows,)."""
    return np.array([int(str(row[_SENTENCE])) for row in rows], dtype=np.int64)


def _texts(row: Row, name: str, where: str) -> list[str]:
    values = row.get(name)
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) and value for value in values):
        raise DataError(f"{where} must have a list of texts in its field {name!r}, got {values!r:.60}")
    return list(values)
