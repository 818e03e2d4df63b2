"""Runs the tools, scores what they found, compares."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from benchmarks.kept import once
from benchmarks.llama_server import llama_server
from benchmarks.text_peers import CALLS, QUICK
from benchmarks.text_peers.environments import environment
from benchmarks.text_peers.programs.exchange import Brief, Found
from benchmarks.text_peers.proxy import MeteringProxy, metering_proxy
from benchmarks.text_peers.scoring import answers, graded
from benchmarks.text_peers.tasks import ANSWER_TOKENS, MODEL, PeerTask
from benchmarks.text_search import on_test
from benchmarks.text_search.tasks import SEEDS, SOURCES, TEST_ROWS
from blackbox.paired import t_interval
from blackbox.text_prompts import prompt_from_dict

START, OWN, MEAN = "start", "categorical", "mean"
PROGRAMS = {
    "categorical": ("own", None),
    "reflective": ("own", None),
    "mipro": ("mipro", "dspy"),
    "gepa": ("gepa_reflection", "gepa"),
    "capo": ("promptolution_search", "promptolution"),
    "evoprompt-ga": ("promptolution_search", "promptolution"),
}
"""By method: the program, and the environment that it needs; None is this one."""

PEERS = [method for method, (_, tool) in PROGRAMS.items() if tool]
QUICK_TASK, QUICK_ROWS = "larger-animal", 20
_ROOT = Path(__file__).parents[2]
_MOST_SECONDS = 3600.0  # of a search


def compare(*, quick: bool, tasks: Sequence[str], seeds: Sequence[int], methods: Sequence[str]) -> dict[str, object]:
    """The figures of `benchmarks.text_peers.run`."""
    names = tuple(tasks) or ((QUICK_TASK,) if quick else tuple(SOURCES))
    chosen = tuple(seeds) or (SEEDS[:1] if quick else SEEDS)
    searches, calls = tuple(methods) or tuple(PROGRAMS), QUICK if quick else CALLS
    rows, found = QUICK_ROWS if quick else TEST_ROWS, list[dict[str, Any]]()
    for method in searches:
        _interpreter(method)  # what cannot be made is said before hours have passed
    with llama_server(reuse=True) as url, metering_proxy(url) as proxy:
        try:
            for seed in chosen:
                for name in names:
                    found.append({"task": name, "seed": seed})
                    task = PeerTask.make(name, seed, test_rows=rows)
                    for method in (START, *searches):
                        found[-1][method] = part(proxy, task, method, calls)
        except KeyboardInterrupt:
            print("stopped: the figures of what is done", flush=True)
    return {"calls": calls, "test_rows": rows, "searches": found, **summary(found)}


def part(proxy: MeteringProxy, task: PeerTask, method: str, calls: int) -> dict[str, Any]:
    """One method on one task and seed; from the kept ones where it is there."""
    of = f"{task.name} {task.seed} {calls} {len(task.task.test)} {method}"
    figures = once(of, lambda: _start(proxy, task) if method == START else _searched(proxy, task, method, calls))
    print(f"{of}: {figures['test']:.1%}, {figures['calls']} calls, ended by {figures['ended']}", flush=True)
    return figures


def summary(found: Sequence[dict[str, Any]]) -> dict[str, object]:
    """Means over the tasks, this project against each other method in points, and where it is the worst."""
    methods = list(dict.fromkeys(name for one in found for name in one if name not in ("task", "seed")))
    means = {method: _means(found, method) for method in methods}
    against = {}
    for other in methods:
        points = [100 * (one[OWN]["test"] - one[other]["test"]) for one in found if OWN in one and other in one]
        if other == OWN or not points:
            continue
        low, high = t_interval(np.array(points)) if len(points) > 1 else (None, None)
        against[other] = {"mean_points": mean(points), "low": low, "high": high, "searches": len(points)}
        print(f"{OWN} against {other}: {against[other]}", flush=True)
    return {"means": means, "against": against, "worst_on": worst_on(means)}


def worst_on(means: dict[str, dict[str, float]]) -> list[str]:
    """Tasks on which this project's mean is below that of each peer that has one."""
    own = means.get(OWN, {})
    others = {
        name: [means[peer][name] for peer in PEERS if name in means.get(peer, {})] for name in own if name != MEAN
    }
    return [name for name, scores in others.items() if scores and own[name] < min(scores)]


def _means(found: Sequence[dict[str, Any]], method: str) -> dict[str, float]:
    """By task, and over the tasks."""
    names = dict.fromkeys(one["task"] for one in found if method in one)
    by_task = {
        name: mean(one[method]["test"] for one in found if one["task"] == name and method in one) for name in names
    }
    return {**by_task, MEAN: mean(by_task.values())}


def _start(proxy: MeteringProxy, task: PeerTask) -> dict[str, Any]:
    start = Found(task.start, task.words, ended="nothing: it is no search")
    return {"calls": 0, "ended": start.ended, **_on_test(proxy, task, START, start)}


def _searched(proxy: MeteringProxy, task: PeerTask, method: str, calls: int) -> dict[str, Any]:
    """A tool's search, and its prompt on the test rows."""
    base_url, meter = proxy.meter(_meter(task, method), calls)
    began = time.monotonic()
    told = program(task.brief(method, base_url, calls))
    if "broken" in told and PROGRAMS[method][1] is None:
        raise RuntimeError(f"{_meter(task, method)}: {told['broken']}")
    found = Found(**told["found"]) if "found" in told else _nothing(task, told["broken"], at_limit=bool(meter.refused))
    figures = {
        **{name: value for name, value in meter.figures().items() if name != "limit"},
        "seconds": round(time.monotonic() - began, 1),
        "peak_mb": told.get("peak_mb") and round(told["peak_mb"]),
        "ended": found.ended,
        "messages": found.messages,
    }
    return {**figures, **_on_test(proxy, task, method, found), **_label_scores(proxy, task, found)}


def _nothing(task: PeerTask, reason: str, *, at_limit: bool) -> Found:
    """The start in the place of a result."""
    return Found(task.start, task.words, ended="limit, without a result" if at_limit else f"error: {reason}")


def program(brief: Brief) -> dict[str, Any]:
    """What a tool's program writes; where it breaks off `broken` with the reason alone."""
    module, python = PROGRAMS[brief.method][0], _interpreter(brief.method)
    with tempfile.TemporaryDirectory() as folder:
        given, result = Path(folder) / "brief.json", Path(folder) / "found.json"
        given.write_text(json.dumps(asdict(brief)))
        command = [str(python), "-m", f"benchmarks.text_peers.programs.{module}", str(given), str(result)]
        try:
            ended = subprocess.run(
                command, cwd=_ROOT, env=_surroundings(folder), timeout=_MOST_SECONDS, capture_output=True, text=True,
                check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return {"broken": f"no end after {_MOST_SECONDS:.0f} s"}
        if result.exists():
            told: dict[str, Any] = json.loads(result.read_text())
            return told
        lines = ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"]
        return {"broken": lines[-1][:300]}


def _interpreter(method: str) -> Path:
    tool = PROGRAMS[method][1]
    return environment(tool) if tool else Path(sys.executable)


def _surroundings(folder: str) -> dict[str, str]:
    """Environment variables of a program: caches of its own, nothing fetched."""
    return {
        **os.environ,
        "PYTHONPATH": str(_ROOT),
        "DSPY_CACHEDIR": f"{folder}/dspy",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "OPENAI_API_KEY": "none",
    }


def _on_test(proxy: MeteringProxy, task: PeerTask, method: str, found: Found) -> dict[str, Any]:
    base_url, _ = proxy.meter(f"{_meter(task, method)}-test", None)
    rows, settings = task.task.to_dict()["test"], {"temperature": 0.0, "max_tokens": ANSWER_TOKENS, "seed": 0}
    written = answers(found, rows, base_url, model=MODEL, **settings)
    return graded(found, written, task.answers("test"), task.words)


def _label_scores(proxy: MeteringProxy, task: PeerTask, found: Found) -> dict[str, Any]:
    """This project's accuracy by log-probabilities, for tasks with labels."""
    if found.prompt is None or not task.words:
        return {}
    base_url, _ = proxy.meter(f"{_meter(task, OWN)}-scores", None)
    return {"label_scores": on_test(base_url, task.task, prompt_from_dict(found.prompt))["test"]}


def _meter(task: PeerTask, method: str) -> str:
    return f"{method}-{task.name}-{task.seed}"
