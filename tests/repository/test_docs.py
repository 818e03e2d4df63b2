"""The documentation has what the program has."""

from pathlib import Path

import pytest
import typer.main

import blackbox.cli
from blackbox.cli.app import app
from blackbox.config import Config
from blackbox.export import FOLDER_FORMATS, FORMATS
from blackbox.registry import BACKENDS, OPTIMIZERS, SPACES
from blackbox.service.http.routers import ROUTERS
from docs.settings_page import settings_page

ROOT = Path(__file__).parents[2]
COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def docs() -> str:
    """README.md and the pages that it names."""
    pages = [ROOT / "README.md", *(ROOT / "docs" / f"{name}.md" for name in ("exports", "settings", "service"))]
    return "".join(page.read_text(encoding="utf-8") for page in pages)


def test_the_page_of_the_settings_is_current() -> None:
    written = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == settings_page(), "run python docs/settings_page.py > docs/settings.md"


@pytest.mark.parametrize("name", Config.model_fields)
def test_every_setting_stands_in_the_docs(name: str, docs: str) -> None:
    assert f"`{name}`" in docs


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_stands_in_the_docs(name: str, docs: str) -> None:
    assert f"blackbox {name}" in docs


@pytest.mark.parametrize("name", ["bank", "jobs", "tokens"])
def test_every_command_of_a_group_stands_in_the_docs(name: str, docs: str) -> None:
    group = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    assert group.commands
    assert all(command in docs for command in group.commands)


@pytest.mark.parametrize(
    ("method", "path"), sorted((m, r.path) for router in ROUTERS for r in router.routes for m in r.methods)
)
def test_every_route_stands_in_the_docs(method: str, path: str, docs: str) -> None:
    of_actions = path.endswith(("/resume", "/cancel"))  # in the row of pause
    assert (f"`{path}`" if of_actions else f"`{method} {path}`") in docs


@pytest.mark.parametrize("name", [*FORMATS, *FOLDER_FORMATS])
def test_every_format_of_exports_stands_in_the_docs(name: str, docs: str) -> None:
    assert f"| `{name}` |" in docs


@pytest.mark.parametrize("name", [*BACKENDS.names(), *SPACES.names(), *OPTIMIZERS.names()])
def test_every_registered_name_stands_in_the_docs(name: str, docs: str) -> None:
    assert name in docs


def test_the_commands_are_those_that_the_command_line_says_it_has() -> None:
    assert COMMANDS == [
        "bank",
        "compare",
        "doctor",
        "evaluate",
        "export",
        "jobs",
        "journal",
        "predict",
        "prune",
        "resume",
        "serve",
        "serve-model",
        "show",
        "sweep",
        "tokens",
        "tune",
        "worker",
    ]
    assert all(name in (blackbox.cli.__doc__ or "") for name in COMMANDS)
