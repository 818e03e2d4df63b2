"""What packages show: `__all__`, and errors under their roots."""

import ast
import importlib
import inspect
from pathlib import Path
from types import ModuleType

import pytest

import blackbox.backends.errors
import blackbox.client.errors
import blackbox.errors
import blackbox.optimizers.errors
import blackbox.service.errors
from tests.repository.test_layers import FOLDERS, sources

ROOTS: dict[ModuleType, type[Exception]] = {
    blackbox.errors: blackbox.errors.BlackboxError,
    blackbox.backends.errors: blackbox.backends.errors.BackendError,
    blackbox.client.errors: blackbox.client.errors.ClientError,
    blackbox.optimizers.errors: blackbox.optimizers.errors.OptimizerError,
    blackbox.service.errors: blackbox.service.errors.ServiceError,
}


def packages() -> list[Path]:
    return [path for folder in FOLDERS for path in sources(folder) if path.name == "__init__.py"]


def name_of(path: Path) -> str:
    """The import name of a package from its `__init__.py`."""
    parts = path.parent.relative_to(FOLDERS["blackbox"].parent).parts
    return ".".join(parts if parts[0] == "blackbox" else ("blackbox", *parts))


def imported_names(path: Path) -> set[str]:
    """The names of ours that a package's `__init__.py` imports to show them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    ours = [node for node in tree.body if isinstance(node, ast.ImportFrom) and str(node.module).startswith("blackbox")]
    return {name.asname or name.name for node in ours for name in node.names}


def declared_names(path: Path) -> list[str]:
    """The value of a package's `__all__`; read, not imported, since torch takes its time."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return [str(name) for name in ast.literal_eval(node.value)]
    return []


@pytest.mark.parametrize("path", packages(), ids=name_of)
def test_all_is_complete_and_sorted(path: Path) -> None:
    shown = imported_names(path)
    if not shown:
        return
    declared = declared_names(path)
    assert set(declared) == shown
    assert len(declared) == len(shown)
    constants_first = sorted(declared, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    assert declared == constants_first


@pytest.mark.parametrize("module", ROOTS, ids=lambda module: module.__name__)
def test_every_error_stands_under_its_packages_root_and_in_its_tree(module: ModuleType) -> None:
    errors = [found for _, found in inspect.getmembers(module, inspect.isclass) if issubclass(found, BaseException)]
    assert len(errors) > 1
    for error in errors:
        assert issubclass(error, ROOTS[module])
        assert error.__name__ in (module.__doc__ or "")
        assert error.__doc__


def test_errors_are_defined_in_no_other_place() -> None:
    for folder in FOLDERS:
        for path in sources(folder):
            if path.name == "errors.py":
                continue
            classes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)]
            bases = {base.id for node in classes for base in node.bases if isinstance(base, ast.Name)}
            assert not {base for base in bases if base.endswith(("Error", "Exception"))}, path


@pytest.mark.parametrize("leaf", ["backends", "optimizers"])
def test_a_leaf_shows_all_its_errors(leaf: str) -> None:
    package = importlib.import_module(f"blackbox.{leaf}")
    errors = inspect.getmembers(importlib.import_module(f"blackbox.{leaf}.errors"), inspect.isclass)
    assert {name for name, _ in errors} <= set(package.__all__)


def test_every_module_says_what_it_is_for() -> None:
    for folder in FOLDERS:
        for path in sources(folder):
            assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), f"{path} has no docstring"


def test_packages_check_with_errors_and_not_with_assert() -> None:
    for folder in FOLDERS:
        for path in sources(folder):
            nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
            assert not any(isinstance(node, ast.Assert) for node in nodes), f"{path} has an assert"
