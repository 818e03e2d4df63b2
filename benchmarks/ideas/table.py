"""The ideas: what each changes in the search that it is compared with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PROMPTS = {
    "sst2": "Classify the following movie review as positive or negative sentiment. ",
    "trec": "Say what kind of answer the following question asks for. ",
}
"""The text that searches start from, by task."""

_LOCAL: Mapping[str, Any] = {"model": "smollm2-135m", "threads": 1, "alpha": 1.0, "dtype": "bfloat16"}
REFERENCES: Mapping[str, Mapping[str, Any]] = {
    "deep": {**_LOCAL, "space": "deep", "layers": "15-29", "dimension": 100, "optimizer": "blockwise:cma-es"},
    "soft": {**_LOCAL, "space": "soft", "dimension": 500, "optimizer": "cma-es"},
}
"""What ideas are compared with: BBTv2 (arXiv 2205.11200) on the upper half of the layers; BBT (arXiv 2201.03514)."""


@dataclass(frozen=True)
class Idea:
    """What it changes.

    Attributes:
        source: paper.
        settings: in the place of the reference's; None takes one away.
        against: the reference.
        task: terms of the task in the place of its own.
        templates: further templates by task.
        bank: starts from what the same search has found on the other task.
        quick: takes no longer than the reference.
    """

    source: str
    settings: Mapping[str, Any]
    against: str = "deep"
    task: Mapping[str, Any] = field(default_factory=dict)
    templates: Mapping[str, Sequence[str]] = field(default_factory=dict)
    bank: bool = False
    quick: bool = True


_TEMPLATES = {
    "sst2": ["{text} All in all {label}.", "Review: {text}\nVerdict: {label}"],
    "trec": ["Question: {text}\nType: {label}", "{text} Category: {label}"],
}
_ALL_NUMBERS: Mapping[str, Any] = {"projection": "identity", "dimension": None, "sigma": 0.1, "learning_rate": 0.1}

IDEAS: Mapping[str, Idea] = {
    "init: label words": Idea(
        "arXiv 2104.08691", {"init": "label-words", "prompt": None, "prompt_tokens": 14}, against="soft"
    ),
    "init: vocabulary": Idea(
        "arXiv 2104.08691", {"init": "vocabulary", "prompt": None, "prompt_tokens": 14}, against="soft"
    ),
    "init: random": Idea("arXiv 2104.08691", {"init": "random", "prompt": None, "prompt_tokens": 14}, against="soft"),
    "longer prompt: 28 tokens": Idea("arXiv 2104.08691", {"prompt_tokens": 28}, against="soft"),
    "init: mutual information": Idea("arXiv 2306.04933", {"init": "mutual-information", "prompt": None}),
    "ensemble of 3 prompts": Idea("arXiv 2104.08691", {"ensemble": 3}),
    "low-rank": Idea("arXiv 2310.10094", {"space": "low-rank", "dimension": None}, against="soft"),
    "decomposed": Idea("arXiv 2309.05173", {"space": "decomposed"}, against="soft"),
    "multi-space": Idea("arXiv 2405.11464", {"space": "multi-space"}, against="soft"),
    "prompts of another task": Idea("arXiv 2208.10160", {}, bank=True, quick=False),
    "projection: bank": Idea("arXiv 2305.03518", {"projection": "bank"}, bank=True, quick=False),
    "projection: hidden-pca": Idea("arXiv 2305.03518", {"projection": "hidden-pca"}),
    "projection: vocabulary": Idea("this project", {"projection": "vocabulary"}),
    "projection: vocabulary, soft": Idea("this project", {"projection": "vocabulary"}, against="soft"),
    "verbalizer: representative": Idea("arXiv 2306.00618", {"verbalizer": "representative"}),
    "verbalizer: search": Idea("arXiv 2012.15723", {"verbalizer": "search"}),
    "robust over 3 templates": Idea("arXiv 2502.12859", {}, task={"robust": True}, templates=_TEMPLATES),
    "ensemble over 3 templates": Idea("arXiv 2401.06766", {}, templates=_TEMPLATES),
    "mixpro": Idea("arXiv 2304.09402", {"augment": "mixpro"}),
    "16 rows a generation": Idea("arXiv 2305.18424", {"rows_per_generation": 16}),
    "es, all numbers": Idea("arXiv 1703.03864", {"optimizer": "es", **_ALL_NUMBERS}, against="soft"),
    "es of rank 1, all numbers": Idea(
        "arXiv 2511.16652", {"optimizer": "es", "direction_rank": 1, **_ALL_NUMBERS}, against="soft"
    ),
    "zo-adam, all numbers": Idea("arXiv 2305.17333", {"optimizer": "zo-adam", **_ALL_NUMBERS}, against="soft"),
    "spsa": Idea("doi:10.1109/9.119632", {"optimizer": "spsa", "sigma": 0.1}, against="soft"),
    "zo-adam": Idea("arXiv 2305.17333", {"optimizer": "zo-adam", "sigma": 0.1, "learning_rate": 0.1}, against="soft"),
    "turns by sensitivity": Idea("this project", {"schedule": "sensitivity"}),
    "mean of the distribution": Idea("arXiv 1604.00772", {"select": "mean"}),
}
"""By name."""
