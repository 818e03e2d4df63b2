"""The methods, the texts that all of them start from, and the published figures that may stand beside."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PROMPTS = {
    "sst2": "Classify the following movie review as positive or negative sentiment. ",
    "agnews": "Say which topic the following news is about. ",
    "dbpedia14": "Say which category the following text belongs to. ",
    "mrpc": "Say whether the following two sentences mean the same. ",
    "snli": "Say whether the second sentence follows from the first. ",
    "rte": "Say whether the second sentence follows from the first. ",
    "trec": "Say what kind of answer the following question asks for. ",
}
"""By task. Its tokens are the prompt's positions, whatever the method."""


@dataclass(frozen=True)
class Method:
    """One row of the figures.

    Attributes:
        fit: what makes it: "search" (of this project), "start", "demonstrations", "gradients" or "embeddings".
        settings: of a search, those of `blackbox.Config`.
        kind: of gradients and embeddings, which.
        rates: learning rates that are tried; the dev rows choose.
    """

    fit: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    kind: str = ""
    rates: tuple[float, ...] = ()


_SAME: Mapping[str, Any] = {"single_token_labels": False, "prompt_tokens": None}

METHODS: Mapping[str, Method] = {
    "start": Method("start"),
    "demonstrations": Method("demonstrations"),
    "random-search": Method("search", {"preset": "bbt", **_SAME, "optimizer": "random-search"}),
    "bbt": Method("search", {"preset": "bbt", **_SAME}),
    "bbtv2": Method("search", {"preset": "bbtv2", **_SAME}),
    "best": Method("search", {"preset": "best"}),
    "prompt-tuning": Method("gradients", kind="prompt", rates=(5e-3, 2e-2)),
    "prefix-tuning": Method("gradients", kind="prefix", rates=(1e-3, 5e-3)),
    "lora": Method("gradients", kind="lora", rates=(2e-4, 1e-3)),
    "deep-tuning": Method("gradients", kind="deep", rates=(1e-3, 5e-3)),
    "embeddings": Method("embeddings", kind="logistic regression"),
    "setfit": Method("embeddings", kind="setfit"),
}
"""By name. A preset that there is not is left out of the figures."""

GRADIENTS = ("prompt-tuning", "prefix-tuning", "lora", "deep-tuning")
PAIRS = (("best", "prompt-tuning"), ("best", "bbtv2"), ("bbtv2", "prompt-tuning"))
"""What is compared: a method and the one beside it."""

PUBLISHED: Mapping[str, Mapping[str, float]] = {
    "start": {"sst2": 79.82, "agnews": 76.96, "dbpedia14": 41.33, "mrpc": 67.40, "snli": 31.11, "rte": 51.62},
    "demonstrations": {"sst2": 79.79, "agnews": 62.21, "dbpedia14": 34.83, "mrpc": 45.81, "snli": 47.11, "rte": 60.36},
    "bbt": {"sst2": 89.56, "agnews": 81.51, "dbpedia14": 87.80, "mrpc": 61.56, "snli": 46.58, "rte": 52.59},
    "bbtv2": {"sst2": 90.33, "agnews": 85.28, "dbpedia14": 93.64, "mrpc": 77.01, "snli": 57.27, "rte": 56.68},
    "prompt-tuning": {"sst2": 68.23, "agnews": 84.81, "dbpedia14": 87.75, "mrpc": 51.61, "snli": 36.13, "rte": 54.69},
    "prefix-tuning": {"sst2": 64.33, "agnews": 83.46, "dbpedia14": 97.05, "mrpc": 68.14, "snli": 36.89, "rte": 50.78},
    "lora": {"sst2": 88.49, "agnews": 87.09, "dbpedia14": 97.86, "mrpc": 72.14, "snli": 61.03, "rte": 49.22},
}
"""RoBERTa-large, 16 shots a class, per cent, mean of three splits, MRPC in F1 (BBTv2, arXiv 2205.11200, table 2).

8,000 evaluations with 50 prompt tokens; prefix tuning is P-tuning v2 (arXiv 2110.07602). TREC is not among its tasks.
"""
