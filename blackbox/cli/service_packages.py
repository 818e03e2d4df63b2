"""The packages of the service, which few need who tune on the command line."""

from importlib.util import find_spec

from blackbox.errors import SettingError

_NEEDED = ("sqlalchemy", "alembic")


def needs_service(command: str, *packages: str) -> None:
    """Refuse a command whose packages are missing; `packages` are those that it needs beside the database's.

    Raises:
        SettingError: one is; the text names the command that installs it.
    """
    for package in (*_NEEDED, *packages):
        if find_spec(package) is None:
            raise SettingError(
                f"`blackbox {command}` needs {package}; install it with: pip install 'blackbox-prompts[service]'"
            )
