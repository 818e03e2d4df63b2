"""A few-shot classifier in a scikit-learn pipeline: 32 labelled texts, a model that is only queried, no gradients."""

from pathlib import Path

import numpy as np
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from blackbox import PromptClassifier, read_rows

DATA = Path(__file__).parent / "data" / "feedback"


def without_shouting(texts: np.ndarray) -> list[str]:
    return [str(text).replace("!", ".") for text in texts]


def main(**settings: object) -> None:
    rows = read_rows(DATA / "train.jsonl") + read_rows(DATA / "dev.jsonl")
    texts = np.array([row["text"] for row in rows], dtype=object)
    labels = np.array([row["label"] for row in rows])
    classifier = PromptClassifier(
        model="smollm2-135m",
        label_words={"satisfied": "great", "unsatisfied": "bad"},
        prompt="Classify the customer's feedback.\n",
        evaluations=200,
    )
    pipeline = make_pipeline(FunctionTransformer(without_shouting), classifier.set_params(**settings))

    scores = cross_val_score(pipeline, texts, labels, cv=2)
    print(f"accuracy of two folds: {', '.join(f'{score:.0%}' for score in scores)}")

    pipeline.fit(texts, labels)
    for text in ("The parcel arrived a day early!", "Three calls and still no answer."):
        shares = dict(zip(pipeline.classes_, pipeline.predict_proba([text])[0], strict=True))
        print(f"{text} -> {pipeline.predict([text])[0]} ({max(shares.values()):.0%})")


if __name__ == "__main__":
    main()
