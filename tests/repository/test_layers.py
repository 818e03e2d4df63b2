"""Imports go one way: optimizers and backends are leaves, and heavy packages stand in one place each."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = {"blackbox": ROOT / "blackbox", "optimizers": ROOT / "optimizers", "backends": ROOT / "backends"}
LINKS = ("optimizers", "backends")
PROGRAMS = ("blackbox/export/with_transformers.py", "blackbox/export/with_vllm.py")  # copied into folders
HOMES = {
    "torch": {"backends/local", "backends/vllm", "blackbox/cli/doctor.py", *PROGRAMS},
    "transformers": {"backends/local", "backends/vllm", *PROGRAMS},
    "psutil": {"backends/local"},
    "ray": {"blackbox/parallel"},
    "nevergrad": {"optimizers/nevergrad_engine.py"},
    "cma": {"optimizers/cma_es.py"},
    "matplotlib": {"blackbox/report/curve.py", "blackbox/report/drawing.py", "blackbox/report/sweep_plots.py"},
    "jinja2": {"backends/local/chat.py", "blackbox/report/rendering.py"},
    "typer": {"blackbox/cli"},
    "requests": {"backends/api", "blackbox/client"},
    "urllib3": {"backends/api"},
    "fastapi": {"blackbox/model_server", "blackbox/service/http"},
    "starlette": {"blackbox/model_server", "blackbox/service/http"},
    "uvicorn": {"blackbox/model_server", "blackbox/service/http"},
    "h11": {"blackbox/service/http"},
    "sqlalchemy": {"blackbox/service/store"},
    "alembic": {"blackbox/service/store"},
    "datasets": {"blackbox/published/hub.py"},
    "sklearn": {"blackbox/pipelines/classifier.py"},
    "mlflow": {"blackbox/callbacks/mlflow.py"},
    "wandb": {"blackbox/callbacks/wandb.py"},
    "tensorboardX": {"blackbox/callbacks/tensorboard.py"},
    "peft": set(),  # what it loads is written without it
    "safetensors": {
        "blackbox/export",
        "blackbox/saved_vectors.py",
        "backends/local",
        "backends/remote/container.py",
        "backends/vllm",
    },
}
HEAVY = (
    "torch",
    "transformers",
    "ray",
    "matplotlib",
    "nevergrad",
    "cma",
    "scipy",
    "jinja2",
    "typer",
    "requests",
    "fastapi",
    "sqlalchemy",
    "sklearn",
    "datasets",
    "pandas",
    "mlflow",
    "wandb",
    "tensorboardX",
)


def sources(folder: str) -> list[Path]:
    """The Python files of a top-level folder, the links in blackbox left out."""
    links = tuple(FOLDERS["blackbox"] / name for name in LINKS)
    found = [path for path in FOLDERS[folder].rglob("*.py") if not any(path.is_relative_to(link) for link in links)]
    assert found
    return sorted(found)


def imports(path: Path) -> Iterator[str]:
    """The full names of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} line {node.lineno}: imports in packages are absolute"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def every_import() -> list[tuple[Path, str]]:
    return [(path, name) for folder in FOLDERS for path in sources(folder) for name in imports(path)]


@pytest.mark.parametrize("leaf", LINKS)
def test_a_leaf_imports_nothing_of_the_rest(leaf: str) -> None:
    for path in sources(leaf):
        for name in imports(path):
            inside = name.split(".")[0] == "blackbox"
            assert not inside or name.startswith(f"blackbox.{leaf}"), f"{path} imports {name}"


def test_nobody_imports_a_second_copy_of_a_leaf() -> None:
    for path, name in every_import():
        assert name.split(".")[0] not in LINKS, f"{path} imports {name}: write blackbox.{name}"


@pytest.mark.parametrize("package", HOMES)
def test_an_optional_package_is_imported_in_its_one_place(package: str) -> None:
    for path, name in every_import():
        if name.split(".")[0] == package:
            place = path.relative_to(ROOT).as_posix()
            assert any(place == home or place.startswith(home + "/") for home in HOMES[package]), (
                f"{place} imports {name}"
            )


def test_the_command_line_is_imported_by_nobody_else() -> None:
    for path, name in every_import():
        if f"{name}.".startswith("blackbox.cli."):
            place = path.relative_to(ROOT).as_posix()
            assert place.startswith("blackbox/cli/") or place == "blackbox/__main__.py", f"{place} imports {name}"


def test_the_local_backend_is_imported_only_when_it_is_asked_for() -> None:
    for path, name in every_import():
        if name.startswith("blackbox.backends.local"):
            place = path.relative_to(ROOT).as_posix()
            homes = ("backends/local/", "backends/vllm/", "blackbox/build.py")
            assert place.startswith(homes), f"{place} imports {name}"


def test_the_programs_of_exports_stand_alone() -> None:
    for program in PROGRAMS:
        assert not any(name.startswith("blackbox") for name in imports(ROOT / program)), program
    modules = {program.removesuffix(".py").replace("/", ".") for program in PROGRAMS}
    assert not any(name in modules for _, name in every_import())


@pytest.mark.parametrize("package", ["pandas", "polars", "pyarrow"])
def test_tables_are_known_by_what_they_do_and_not_by_their_package(package: str) -> None:
    assert not [path for path, name in every_import() if name.split(".")[0] == package]


@pytest.mark.parametrize("name", LINKS)
def test_a_leaf_is_linked_into_the_package(name: str) -> None:
    link = ROOT / "blackbox" / name
    assert link.is_symlink()
    assert link.readlink() == Path("..") / name


@pytest.mark.parametrize("module", ["blackbox", "blackbox.optimizers", "blackbox.backends"])
def test_an_import_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    assert not set(ran.stdout.split()) & set(HEAVY)
