"""A backend of one's own: whatever can say how well each option fits behind a text."""

from collections.abc import Sequence

import numpy as np

from blackbox import Predictor, SavedPrompt, Task
from blackbox.backends import Capability, Prompt, Query, Scores, TextPrompt, Usage
from blackbox.backends.checks import check_call


class LetterBackend:
    """Prefers options that share letters with the text: a joke of a model, but a whole backend."""

    name = "letters"
    model_hash = "1"
    capabilities = frozenset({Capability.TEXT, Capability.LABEL_SCORES})

    def score(self, prompts: Sequence[Prompt], queries: Sequence[Query]) -> Scores:
        check_call(self, prompts, queries)
        texts = [prompt.text for prompt in prompts if isinstance(prompt, TextPrompt)]
        logits = np.array([[self._fits(text + query.before, query) for query in queries] for text in texts])
        log_probabilities = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
        return Scores(log_probabilities, tuple(Usage(requests=len(queries)) for _ in prompts))

    def _fits(self, text: str, query: Query) -> list[float]:
        return [float(sum(text.count(letter) for letter in set(option))) / len(option) for option in query.options]


def main() -> None:
    rows = [{"text": "zoo zoo", "label": "z"}, {"text": "banana", "label": "a"}]
    task = Task(rows, template="{text}: {label}", label_words={"z": "oz", "a": "an"})
    backend = LetterBackend()
    saved = SavedPrompt.of(TextPrompt("Which letters? "), backend=backend, task=task, scores={})
    for row, prediction in zip(rows, Predictor(backend, saved).predict(rows), strict=True):
        print(row["text"], "->", prediction.label)


if __name__ == "__main__":
    main()
