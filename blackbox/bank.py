"""A bank: a folder of saved prompts, each in a folder of its own name, for later searches to start from."""

import re
from pathlib import Path

from blackbox.errors import RunError, SettingError
from blackbox.saved_prompt import JSON_FILE, SavedPrompt

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Bank:
    """See the module. The prompts are copies: what becomes of the runs does not matter to them."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def add(self, source: str | Path, name: str | None = None) -> str:
        """Copy the prompt of a run's folder, or of a folder of its own, into the bank.

        Args:
            name: of the copy; None is the source's own.

        Returns:
            The name.

        Raises:
            SettingError: the name is none for a folder, or taken.
            RunError: the source holds no prompt, or more than one, or the copy cannot be written.
            DamagedFileError, MismatchError: as of `SavedPrompt.load`.
        """
        [(own, saved)] = _one(Path(source)).items()
        name = name or own
        if not _NAME.fullmatch(name):
            raise SettingError(f"a prompt's name in a bank has letters, digits, '.', '_' and '-' only, got {name!r}")
        if (self.path / name).exists():
            raise SettingError(f"{self.path} has a prompt {name!r} already; choose another name or delete its folder")
        saved.save(self.path / name)
        return name

    def prompts(self) -> dict[str, SavedPrompt]:
        """The prompts by name, in the order of the names.

        Raises:
            RunError: there is no such folder, or no prompt in it.
            DamagedFileError, MismatchError: as of `SavedPrompt.load`.
        """
        folders = sorted(path.parent for path in self.path.glob(f"*/{JSON_FILE}"))
        if not folders:
            raise RunError(f"{self.path} holds no prompt: it is no run, no saved prompt and no bank")
        return {folder.name: SavedPrompt.load(folder) for folder in folders}


def saved_prompts(path: str | Path) -> dict[str, SavedPrompt]:
    """The prompts that a folder has, by name: that of a run, a saved prompt itself, or those of a bank.

    Raises:
        RunError, DamagedFileError, MismatchError: as of `Bank.prompts`.
    """
    path = Path(path)
    for folder in (path, path / "prompt"):
        if (folder / JSON_FILE).exists():
            return {path.resolve().name: SavedPrompt.load(folder)}
    return Bank(path).prompts()


def _one(path: Path) -> dict[str, SavedPrompt]:
    found = saved_prompts(path)
    if len(found) != 1:
        raise RunError(f"{path} holds {len(found)} prompts; name one of them: {', '.join(found)}")
    return found
