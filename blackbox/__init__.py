"""Gradient-free optimization of prompts for language models that can only be queried.

from blackbox import Task, tune

task = Task(train_rows, template="{text} It was {label}.", label_words={"negative": "bad", "positive": "great"})
result = tune(task, model="smollm2-135m", prompt="Is this review bad or great?", evaluations=900)
result.predict([{"text": "A quiet, moving film."}])
"""

from typing import TYPE_CHECKING

from blackbox.callbacks import Callback, Progress
from blackbox.client import Client
from blackbox.config import Config
from blackbox.data import read_rows, sample_shots
from blackbox.errors import BlackboxError
from blackbox.evaluation import Evaluation
from blackbox.figures import MeanLoss
from blackbox.filling import Prediction
from blackbox.metrics import Measured
from blackbox.prediction import Predictor
from blackbox.pruning.prune import Pruned, prune
from blackbox.run import Result
from blackbox.saved_prompt import SavedPrompt
from blackbox.summary import Summary
from blackbox.sweeps import SweepResult, run_sweep
from blackbox.task import Task
from blackbox.tune import resume, tune

if TYPE_CHECKING:
    from blackbox.pipelines import PromptClassifier as PromptClassifier

__all__ = [
    "BlackboxError",
    "Callback",
    "Client",
    "Config",
    "Evaluation",
    "MeanLoss",
    "Measured",
    "Prediction",
    "Predictor",
    "Progress",
    "Pruned",
    "Result",
    "SavedPrompt",
    "Summary",
    "SweepResult",
    "Task",
    "prune",
    "read_rows",
    "resume",
    "run_sweep",
    "sample_shots",
    "tune",
]


def __getattr__(name: str) -> object:
    """`PromptClassifier`, which needs the extra `pipelines`: no part of `from blackbox import *`."""
    if name != "PromptClassifier":
        raise AttributeError(f"module 'blackbox' has no attribute {name!r}")
    from blackbox.backends.errors import MissingPackageError

    try:
        from blackbox.pipelines import PromptClassifier
    except ImportError as error:
        raise MissingPackageError(
            f"PromptClassifier needs {error.name}; install it with: pip install 'blackbox-prompts[pipelines]'"
        ) from error
    return PromptClassifier
