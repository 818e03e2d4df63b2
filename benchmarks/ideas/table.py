"""The ideas: what each changes in the search that it is compared with."""

from collections.abc import Mapping
from typing import Any

from benchmarks.paired_searches import Variant

_TEMPLATES = {
    "sst2": ["{text} All in all {label}.", "Review: {text}\nVerdict: {label}"],
    "trec": ["Question: {text}\nType: {label}", "{text} Category: {label}"],
}
_ALL_NUMBERS: Mapping[str, Any] = {"projection": "identity", "dimension": None, "sigma": 0.1, "learning_rate": 0.1}
_AT_ONCE: Mapping[str, Any] = {"optimizer": "cma-es", "covariance": "diagonal"}

IDEAS: Mapping[str, Variant] = {
    "init: label words": Variant(
        "arXiv 2104.08691", {"init": "label-words", "prompt": None, "prompt_tokens": 14}, against="soft"
    ),
    "init: vocabulary": Variant(
        "arXiv 2104.08691", {"init": "vocabulary", "prompt": None, "prompt_tokens": 14}, against="soft"
    ),
    "init: random": Variant(
        "arXiv 2104.08691", {"init": "random", "prompt": None, "prompt_tokens": 14}, against="soft"
    ),
    "longer prompt: 28 tokens": Variant("arXiv 2104.08691", {"prompt_tokens": 28}, against="soft"),
    "init: mutual information": Variant("arXiv 2306.04933", {"init": "mutual-information", "prompt": None}),
    "ensemble of 3 prompts": Variant("arXiv 2104.08691", {"ensemble": 3}),
    "low-rank": Variant("arXiv 2310.10094", {"space": "low-rank", "dimension": None}, against="soft"),
    "decomposed": Variant("arXiv 2309.05173", {"space": "decomposed"}, against="soft"),
    "multi-space": Variant("arXiv 2405.11464", {"space": "multi-space"}, against="soft"),
    "prompts of another task": Variant("arXiv 2208.10160", {}, bank=True),
    "projection: bank": Variant("arXiv 2305.03518", {"projection": "bank"}, bank=True),
    "projection: hidden-pca": Variant("arXiv 2305.03518", {"projection": "hidden-pca"}),
    "projection: vocabulary": Variant("this project", {"projection": "vocabulary"}),
    "projection: vocabulary, soft": Variant("this project", {"projection": "vocabulary"}, against="soft"),
    "verbalizer: calibrated": Variant("this project", {"verbalizer": "calibrated"}),
    "verbalizer: representative": Variant("arXiv 2306.00618", {"verbalizer": "representative"}),
    "verbalizer: ridge": Variant("this project", {"verbalizer": "ridge"}),
    "readout: ridge": Variant("this project", {"readout": "ridge"}),
    "verbalizer: search": Variant("arXiv 2012.15723", {"verbalizer": "search"}),
    "robust over 3 templates": Variant("arXiv 2502.12859", {}, task={"robust": True}, templates=_TEMPLATES),
    "ensemble over 3 templates": Variant("arXiv 2401.06766", {}, templates=_TEMPLATES),
    "mixpro": Variant("arXiv 2304.09402", {}, task={"augment": "mixpro"}),
    "16 rows a generation": Variant("arXiv 2305.18424", {"rows_per_generation": 16}),
    "es, all numbers": Variant("arXiv 1703.03864", {"optimizer": "es", **_ALL_NUMBERS}, against="soft"),
    "es of rank 1, all numbers": Variant(
        "arXiv 2511.16652", {"optimizer": "es", "direction_rank": 1, **_ALL_NUMBERS}, against="soft"
    ),
    "zo-adam, all numbers": Variant("arXiv 2305.17333", {"optimizer": "zo-adam", **_ALL_NUMBERS}, against="soft"),
    "spsa": Variant("doi:10.1109/9.119632", {"optimizer": "spsa", "sigma": 0.1}, against="soft"),
    "zo-adam": Variant(
        "arXiv 2305.17333", {"optimizer": "zo-adam", "sigma": 0.1, "learning_rate": 0.1}, against="soft"
    ),
    "all layers at once": Variant("this project", _AT_ONCE),
    "all layers at once, by small steps, mean": Variant(
        "this project", {**_AT_ONCE, "dimension": 300, "alpha": 0.3, "select": "mean"}
    ),
    "turns by sensitivity": Variant("this project", {"schedule": "sensitivity"}, quick=True),
    "mean of the distribution": Variant("arXiv 1604.00772", {"select": "mean"}, quick=True),
}
"""By name."""
