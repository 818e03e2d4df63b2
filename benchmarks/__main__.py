"""The one entry point of all benchmarks: prints tables and, as the last line, one JSON object with the figures."""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from benchmarks.data import MissingDataError
from benchmarks.page import write_page

RESULTS = Path(__file__).parent / "results"

BENCHMARKS = {
    "optimizer-cost": "CPU time of ask and tell at d = 500, against pycma's own settings",
    "projection": "CPU ms a generation and MB of dense and Hadamard projections",
    "sweep": "a sweep of BBTv2 over all layers against one candidate at a time through the whole model",
    "gpu": "8,000 evaluations of BBTv2 on a GPU, a model of RoBERTa-large's size",
    "elites": "how often bfloat16 finds a generation's best candidate, alone and with its best scored again",
    "api-throughput": "calls a second through the API transport, 64 in flight, against what the endpoint gives",
    "journal-memory": "memory and CPU time of the journal of paid answers over 100,000 calls of 64 threads",
    "faults": "whole runs of each search on an endpoint that fails, killed and resumed: budget, result, paid twice",
    "outages": "the ranking of a run whose endpoint is gone for a minute, or fails for one call in ten",
    "racing": "how often a race finds the best of 16 candidates, and for what share of the calls of all rows",
    "run-kills": "kill -9 at 50 random moments of local runs, then resume: the unbroken run each time",
    "few-shot": "searches without gradients against prompt tuning, prefix tuning, LoRA, SetFit: scores, rows, memory",
    "ideas": "ideas of the literature, each against the same search without it, SmolLM2-135M",
    "verbalizers": "what tells the labels behind the start: given, found and calibrated words, class means, ridge",
    "ablation": "settings of a search, one factor at a time around the default, SmolLM2-135M",
    "text-search": "searches of text prompts at 1,500 calls on a real endpoint, against the start and random search",
    "text-peers": "text searches beside DSPy, GEPA and promptolution: one endpoint, one limit of calls, one scorer",
    "small-proposer": "searches whose model is too small to propose: what is refused and adopted, what is gained",
    "categorical": "optimizers of choices on simulated landscapes: true loss of what is selected, random search beside",
    "ray-workers": "Ray's cost a generation, scaling, runs whose workers are killed, memory",
    "remote-model": "a model behind a model server on the loopback against the same model in process: losses and time",
    "service-kills": "30 kills of the service and its workers during ten jobs, on SQLite and PostgreSQL",
    "service-load": "reads of 50 clients, the time of a page, 500 watchers and memory of the service",
    "service-contract": "over 1,000 requests that schemathesis makes up from the service's document: no failure",
    "service-workers": "200 short jobs on four workers and one PostgreSQL: each runs once",
    "islands": "islands of CMA-ES against one CMA-ES at equal evaluations, one optimum and many",
    "classifier": "cross_val_score of a PromptClassifier on 64 rows: a fake backend and SmolLM2-135M, seconds",
    "token-labelling": "parts of speech token by token, 24 sentences, SmolLM2-135M: majority tag, untuned, tuned",
    "demo": "what `make demo` runs: 240 unseen rows of customer feedback before and after",
    "sst2": "SST-2, 16 shots a class, SmolLM2-135M: accuracy before and after, three seeds",
}

GROUPS = {
    "speed": ("optimizer-cost", "projection", "sweep", "api-throughput", "ray-workers", "service-load"),
    "reliability": ("run-kills", "faults", "outages", "ray-workers", "service-kills"),
}
"""Several under one name."""
PAGE = "page"


def main() -> int:
    """Run the benchmarks that are named; exit code 2 where what one needs is missing, the others run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    lines = "; ".join(f"{name}: {what}" for name, what in BENCHMARKS.items())
    groups = "; ".join(f"{name}: {', '.join(names)}" for name, names in GROUPS.items())
    page = f"{PAGE}: write README.md here, its pictures and the figures in the project's README from {RESULTS.name}/"
    parser.add_argument("name", choices=[*BENCHMARKS, *GROUPS, "all", PAGE], help=f"{lines}; {groups}; {page}")
    parser.add_argument("--quick", action="store_true", help="smaller, for a look; its figures prove nothing")
    parser.add_argument("--save", action="store_true", help=f"write the figures to {RESULTS.name}/NAME.json as well")
    arguments = parser.parse_args()
    if arguments.name == PAGE:
        write_page(RESULTS, BENCHMARKS)
        return 0
    names = list(BENCHMARKS) if arguments.name == "all" else GROUPS.get(arguments.name, [arguments.name])
    figures = {}
    for name in names:
        try:
            figures[name] = measured(name, quick=arguments.quick)
        except MissingDataError as error:
            print(f"{name}: {error}", file=sys.stderr)
            continue
        if arguments.save:
            (RESULTS / f"{name}.json").write_text(json.dumps(figures[name], indent=2) + "\n")
    print(json.dumps(figures.get(arguments.name) if names == [arguments.name] else figures))
    return 0 if len(figures) == len(names) else 2


def module_of(name: str) -> str:
    """Of a benchmark; those of the service have a package."""
    return f"service.{name.removeprefix('service-')}" if name.startswith("service-") else name.replace("-", "_")


def measured(name: str, *, quick: bool) -> dict[str, object]:
    """The figures of one benchmark with the machine, versions and time that they stand for."""
    run: Callable[..., dict[str, object]] = import_module(f"benchmarks.{module_of(name)}").run
    began = time.time()
    figures = run(quick=quick)
    return {
        "benchmark": name,
        "quick": quick,
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        "versions": {package: version(package) for package in ("numpy", "cma", "torch", "transformers")},
        "date": time.strftime("%Y-%m-%d", time.gmtime(began)),
        "seconds": round(time.time() - began, 1),
        "figures": figures,
    }


if __name__ == "__main__":
    sys.exit(main())
