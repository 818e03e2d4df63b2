"""What must be said of a benchmark's figures besides the figures."""

from collections.abc import Mapping

HIDDEN: Mapping[str, tuple[str, ...]] = {
    "demo": ("history",),
    "faults": ("searches",),
    "outages": ("ranking",),
    "service-load": ("ms", "growth", "load_average"),
    "small-proposer": ("taken_in", "prompt"),
    "ideas": ("curve",),
    "ablation": ("curve",),
}
"""Parts that stand in the JSON file alone, by benchmark."""

SAID: Mapping[str, str] = {
    "sst2": "bfloat16 on a processor that has it. Published 16-shot splits; with 32 training rows the outcome depends "
    "on the seed by a few points.",
    "token-labelling": "Intervals are over sentences; untuned is the instruction that the search starts from.",
    "sweep": "One core, float32, 50 prompt tokens for RoBERTa-base's size and 14 for SmolLM2-135M's. The last "
    "ratio is the time of added vectors against that of keys and values, every layer changed.",
    "optimizer-cost": "Rows named pycma are its own settings.",
    "ray-workers": "32 workers that only sleep fill two cores with Ray's own messages.",
    "islands": "log10 of the lowest loss of `cma-es, 20`, and what is more than that for the others: below zero is "
    "better. Islands help on one function of six, restarts help or do no harm.",
    "faults": "Seven ways to search text, proposals from the same endpoint, which meets a 429, 5xx, a cut or broken "
    "answer or a time-out in one call of ten; the endpoint's own count decides.",
    "outages": "No row counts as wrong because of a failure.",
    "remote-model": "SmolLM2-135M, deep prompts, generations of 20, one thread each.",
    "service-kills": "A job is given up when six workers in a row are killed before they get further; with four, one "
    "job of twenty was.",
    "service-load": "Service and clients share two cores.",
    "service-contract": "No document says which bytes are rows, or which fields a job's template has.",
    "api-throughput": "One Python process is the limit.",
    "elites": "By the number of candidates that are scored again in float32.",
    "text-search": "SmolLM2-135M behind llama.cpp's server.",
    "small-proposer": "SmolLM2-135M writes and answers; what was taken in was read, and none is of use.",
    "categorical": "Differences from random search in standard deviations of the landscape: below zero is better.",
    "ideas": "bfloat16. Differences are paired by task and seed, with Student's t intervals; many ideas are compared, "
    "so that one whose interval is just above zero may be luck.",
    "ablation": "bfloat16. Differences are paired by task and seed, with Student's t intervals.",
}
"""By benchmark."""
