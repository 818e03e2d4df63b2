"""The program of one part, a method on a task and seed: `python -m benchmarks.few_shot.part JSON`.

It loads the model and the packages first; from there on memory and time are measured, until the method has its
classifier. The test rows are read after that.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoTokenizer

from benchmarks.few_shot.fitted import Fitted, UnfitError, scores
from benchmarks.few_shot.launch import THREADS
from benchmarks.few_shot.memory import PeakMemory
from benchmarks.few_shot.settings import Settings
from benchmarks.few_shot.table import METHODS, PROMPTS
from benchmarks.few_shot.tasks import make_task
from blackbox import Task
from blackbox.backends.local import LocalBackend
from blackbox.backends.local.reading import Reading, longest_sequence, query_encoder, reading_of
from blackbox.backends.local.unpacked import unpacked
from blackbox.backends.local.weights import find_model
from blackbox.build import make_backend
from blackbox.config import Config, make_config
from blackbox.loaded_models import LoadedModels


def main(asked: dict[str, Any]) -> dict[str, Any]:
    """The figures of a part."""
    method, name, seed, settings = asked["method"], asked["task"], asked["seed"], Settings(**asked["settings"])
    task = make_task(name, seed, test_rows=settings.test_rows, infills=infills(settings.model))
    config = config_of(method, name, seed, settings)
    with LoadedModels().shared():
        fit = ready(method, task.changed(test=[]), config, settings)
        memory, cpu, clock = PeakMemory(), time.process_time(), time.perf_counter()
        try:
            fitted = fit()
        except UnfitError as error:
            return {"method": method, "task": name, "seed": seed, "skipped": str(error)}
        figures = {
            "seconds": round(time.perf_counter() - clock, 1),
            "cpu_seconds": round(time.process_time() - cpu, 1),
            "peak_memory_mb": round(memory.megabytes, 1),
        }
        cpu = time.process_time()
        test = scores(fitted, task.test, n_labels=len(task.labels))
        figures["test_cpu_seconds"] = round(time.process_time() - cpu, 1)
    return {
        "method": method,
        "task": name,
        "seed": seed,
        "metric": task.metric or "accuracy",
        **test,
        "forward_rows": fitted.forward_rows,
        "backward_rows": fitted.backward_rows,
        **figures,
        "tunable": fitted.tunable,
        **fitted.details,
    }


def infills(model: str) -> bool:
    """Whether a model sees what stands behind the label."""
    files, place = place_of(model)
    return reading_of(AutoConfig.from_pretrained(files, **place)) is not Reading.CAUSAL


def place_of(model: str) -> tuple[Path, dict[str, str]]:
    """The arguments of `from_pretrained`."""
    files = unpacked(model, find_model(model, None))
    return files.folder, {"gguf_file": files.gguf_file} if files.gguf_file else {}


def config_of(method: str, task: str, seed: int, settings: Settings) -> Config:
    """The settings of a search; of other methods those that load the same model."""
    given = {
        **METHODS[method].settings,
        "model": settings.model,
        "dtype": "float32" if METHODS[method].fit == "gradients" else settings.dtype,
        "threads": THREADS,
        "seed": seed,
        "prompt": PROMPTS[task],
        "evaluations": settings.evaluations,
    }
    return make_config(given)


def ready(method: str, task: Task, config: Config, settings: Settings) -> Any:
    """What makes the classifier, all that it needs loaded."""
    how, text, seed = METHODS[method], str(config.prompt), config.seed
    if how.fit == "embeddings":
        from benchmarks.few_shot import embeddings  # its packages need not be there for the other methods

        encoder = embeddings.load_encoder()
        if how.kind == "setfit":
            return lambda: embeddings.setfit(encoder, task, pairs=settings.pairs, seed=seed)
        return lambda: embeddings.embeddings(encoder, task)
    from benchmarks.few_shot import gradients, searches

    backend = make_backend(config)
    if not isinstance(backend, LocalBackend):
        raise TypeError(f"the methods share a local model, got {type(backend).__name__}")
    if how.fit == "search":
        return lambda: searches.search(task, config)
    if how.fit == "start":
        return lambda: searches.start(backend, task, text)
    if how.fit == "demonstrations":
        most = longest_sequence(backend.model)
        return lambda: searches.demonstrations(backend, task, text, most_tokens=most, seed=seed)
    files, place = place_of(config.model)
    tokenizer = AutoTokenizer.from_pretrained(files, **place)
    reader = query_encoder(backend.model, tokenizer, single_token_labels=False)

    def fit() -> Fitted:
        return gradients.train(
            backend,
            reader,
            task,
            kind=how.kind,
            start=backend.encode(text),
            rates=how.rates[: settings.rates],
            epochs=settings.epochs,
            seed=seed,
        )

    return fit


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
