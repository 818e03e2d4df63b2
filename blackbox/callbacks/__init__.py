"""What watches a search: the protocol, trackers, and the progress display of the terminal (`callbacks.progress`)."""

from blackbox.callbacks.base import Callback, Progress
from blackbox.callbacks.mlflow import MLflow
from blackbox.callbacks.tensorboard import TensorBoard
from blackbox.callbacks.tracker import TrackedRun, Tracker
from blackbox.callbacks.wandb import WandB

__all__ = ["Callback", "MLflow", "Progress", "TensorBoard", "TrackedRun", "Tracker", "WandB"]
