"""Data sets through Hugging Face `datasets`: from the hub, or from a folder that its `save_to_disk` wrote."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from blackbox.backends.errors import MissingPackageError
from blackbox.errors import DataError
from blackbox.published.sources import Source

SAVED = "dataset_dict.json"


def from_hub(source: Source, *, name: str) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """The splits of a data set by name.

    Raises:
        MissingPackageError: `datasets` is not installed.
        DataError: it cannot be had, for want of a network or at all.
    """
    datasets = _package(f"{name} from the hub")
    try:
        splits: Mapping[str, Any] = datasets.load_dataset(source.hub, source.config, revision=source.revision)
    except (OSError, RuntimeError, ValueError) as error:
        raise DataError(
            f"{name}: {source.hub} cannot be had from the hub ({_first_line(error)}); where there is no network, name "
            "a folder of data sets: folder= or the environment variable BLACKBOX_DATA"
        ) from error
    return splits


def from_saved(folder: Path) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """The splits that `DatasetDict.save_to_disk` wrote.

    Raises:
        MissingPackageError: `datasets` is not installed.
        DataError: the folder is damaged.
    """
    datasets = _package(f"{folder}, which it has written,")
    try:
        splits: Mapping[str, Any] = datasets.load_from_disk(str(folder))
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{folder}: cannot be read by `datasets` ({_first_line(error)})") from error
    return splits


def _package(what: str) -> ModuleType:
    try:
        import datasets
    except ImportError as error:
        raise MissingPackageError(
            f"{what} needs {error.name}; install it with: pip install 'blackbox-prompts[data]'"
        ) from error
    return datasets  # type: ignore[no-any-return]


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
