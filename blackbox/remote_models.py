"""The backend of a model behind a model server, from the settings."""

from blackbox.backends import RemoteBackend
from blackbox.config import Config
from blackbox.errors import SettingError


def remote_backend(config: Config) -> RemoteBackend:
    """The model that `blackbox serve-model` offers.

    Raises:
        SettingError: no URL, another model than the settings name, or one that runs otherwise than they say.
        BackendSettingError, EndpointError: as of `RemoteBackend`.
    """
    if config.base_url is None:
        raise SettingError("backend 'remote' needs `base_url`, where `blackbox serve-model` runs: http://host:8100")
    backend = RemoteBackend(
        config.base_url,
        key_variable=config.key_variable,
        parallel=config.parallel,
        call_seconds=config.call_seconds,
        outage_seconds=config.outage_seconds,
    )
    try:
        _check(config, backend)
    except SettingError:
        backend.close()
        raise
    return backend


def _check(config: Config, backend: RemoteBackend) -> None:
    """Refuse a server that runs its model otherwise: a run must be the same when it is resumed."""
    usual = Config.model_fields["model"].default
    if config.model not in (usual, backend.name):
        raise SettingError(
            f"the model at {backend.base_url} is {backend.name!r}, and the setting model {config.model!r}"
        )
    for name in ("dtype", "single_token_labels"):
        there, here = getattr(backend.description, name), getattr(config, name)
        if there != here:
            raise SettingError(
                f"the model server at {backend.base_url} has {name} {there}, and the run {here}; set {name} to the same"
            )
