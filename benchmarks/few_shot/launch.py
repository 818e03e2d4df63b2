"""Each part in a process of its own, so that none finds the memory or the model as another has left it."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from typing import Any

from benchmarks.few_shot.settings import Settings

THREADS = 1
"""Of a part: two parts at once share nothing on two cores."""
_SURROUNDINGS = {"TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": str(THREADS)}


def measured(method: str, task: str, seed: int, settings: Settings) -> dict[str, Any]:
    """The figures of a part: see `benchmarks.few_shot.part`.

    Raises:
        RuntimeError: it has failed; the text is the end of what it said.
    """
    asked = json.dumps({"method": method, "task": task, "seed": seed, "settings": asdict(settings)})
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.few_shot.part", asked],
        capture_output=True,
        text=True,
        env={**os.environ, **_SURROUNDINGS},
        check=False,
    )
    if ran.returncode:
        raise RuntimeError(f"{method} on {task}, seed {seed}: {ran.stderr[-2000:]}")
    figures: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return figures
