"""Errors of the product.

BlackboxError
├── SettingError (ValueError)      a setting out of its range, or an unknown configuration key
│   ├── UnknownNameError           no optimizer, space, ... of this name
│   └── UnfitOptimizerError        an optimizer of numbers for a space of choices, or the other way round
├── DataError (ValueError)         rows, labels or files of a task
├── BudgetError (ValueError)       a budget too small for what is asked
├── ExecutorError (RuntimeError)   workers that cannot be had
│   └── WorkersLostError           none is left in mid-run
└── RunError (RuntimeError)        a run folder, journal, checkpoint or saved prompt
    ├── DamagedFileError           a file is not what was written
    └── MismatchError              a file belongs to another model, task or version
"""

import difflib
from collections.abc import Iterable


class BlackboxError(Exception):
    """Root of all errors of the product."""


class SettingError(BlackboxError, ValueError):
    """A setting is out of its range or unknown."""


class UnknownNameError(SettingError):
    """Nothing is registered under this name."""


class UnfitOptimizerError(SettingError):
    """An optimizer of numbers was given a space of choices, or the other way round."""


class DataError(BlackboxError, ValueError):
    """Rows, labels or files of a task are not as they must be."""


class BudgetError(BlackboxError, ValueError):
    """The budget is too small for what is asked."""


class ExecutorError(BlackboxError, RuntimeError):
    """Workers cannot be had: a package is missing, no cluster answers, or what they need cannot be sent."""


class WorkersLostError(ExecutorError):
    """No worker is left, or one job takes them all with it. What is scored is kept, and a run can be resumed."""


class RunError(BlackboxError, RuntimeError):
    """A run folder, or a file in it, cannot be used."""


class DamagedFileError(RunError):
    """A file is not what was written."""


class MismatchError(RunError):
    """A file belongs to another model, task or version."""


def unknown_name(what: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """The error for a name that nothing has, with the nearest known one."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ";"
    return UnknownNameError(f"unknown {what} {name!r}{hint} known: {', '.join(names)}")
