"""What optimizers refuse.

    OptimizerError
    +-- TellError             losses or candidates that do not answer the last `ask`   (ValueError)
    +-- TurnError             `ask` and `tell` out of turn                             (RuntimeError)
    +-- SettingError          a constructor argument that cannot work                  (ValueError)
    +-- StateError            a saved state that is damaged or belongs elsewhere       (ValueError)
    +-- MissingPackageError   an optional package that is not installed                (ImportError)
    +-- SearchError           the search cannot go on: its library failed              (RuntimeError)

The first four are raised before anything has changed: the optimizer can be used on.
"""


class OptimizerError(Exception):
    """Root of every error that this package raises on purpose."""


class TellError(OptimizerError, ValueError):
    """Losses or candidates that do not answer the last `ask`."""


class TurnError(OptimizerError, RuntimeError):
    """`ask` while a population still waits for its losses."""


class SettingError(OptimizerError, ValueError):
    """A constructor argument that cannot work."""


class StateError(OptimizerError, ValueError):
    """A saved state that is damaged, or made by another optimizer or with other settings."""


class MissingPackageError(OptimizerError, ImportError):
    """An optional package that is not installed."""


class SearchError(OptimizerError, RuntimeError):
    """The search cannot go on: the library behind it failed, or asks candidates that are not finite."""
