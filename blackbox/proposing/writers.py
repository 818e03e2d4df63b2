"""The model that writes new instructions, by the settings."""

import logging
from typing import Protocol, runtime_checkable

from blackbox.backends import Backend, Capability, GeneratingBackend, VectorBackend, require
from blackbox.build import make_backend
from blackbox.config import NOBODY, Config
from blackbox.errors import SettingError

log = logging.getLogger(__name__)


@runtime_checkable
class VectorWriter(VectorBackend, GeneratingBackend, Protocol):
    """A backend that writes behind soft prompts."""


ENDPOINTS = ("openai", "anthropic")


def make_writer(config: Config, backend: Backend) -> GeneratingBackend | None:
    """What writes: the backend of the task if the settings name no other; None where nobody does.

    Raises:
        SettingError, BackendError: another is named and cannot be had, or does not write.
    """
    if config.proposer_backend == NOBODY:
        return None
    if not names_another(config):
        if Capability.GENERATE in backend.capabilities and isinstance(backend, GeneratingBackend):
            return backend
        log.warning("model %r writes no text: no new instructions; another model can: proposer_model", backend.name)
        return None
    writer = _made(of_proposer(config), backend)
    require(writer, Capability.GENERATE)
    if not isinstance(writer, GeneratingBackend):
        raise SettingError(f"backend {writer.name!r} says it writes but is no GeneratingBackend")
    return writer


def make_vector_writer(config: Config, backend: Backend) -> VectorWriter:
    """What writes behind soft prompts; the settings name it as in `make_writer`.

    Raises:
        SettingError, BackendError: nobody writes, or it takes no soft prompts, or it cannot be had.
    """
    if config.proposer_backend == NOBODY:
        raise SettingError(
            f"space {config.space!r} needs a local model that writes; name one: proposer_backend, proposer_model"
        )
    writer = make_writer(config, backend) or backend
    require(writer, Capability.SOFT, Capability.GENERATE)
    if not isinstance(writer, VectorWriter):
        raise SettingError(f"backend {writer.name!r} says it writes behind soft prompts but is no VectorBackend")
    return writer


def names_another(config: Config) -> bool:
    """Whether the settings name another model than the task's."""
    other = config.proposer_backend not in (None, config.backend)
    return other or config.proposer_model is not None or config.proposer_base_url is not None


def of_proposer(config: Config) -> Config:
    """The settings as they are for the proposing model's backend.

    Raises:
        SettingError: another backend without its model's name.
    """
    name = config.proposer_backend or config.backend
    own = config.proposer_backend in (None, config.backend)
    if not own and name != "fake" and config.proposer_model is None:
        raise SettingError(f"proposer_backend {name!r} needs `proposer_model`, the model's name there")
    prices = ("usd_per_million_prompt_tokens", "usd_per_million_completion_tokens")
    changes: dict[str, object] = {key: getattr(config, f"proposer_{key}") for key in prices}
    changes |= {"backend": name, "model": config.proposer_model or config.model}
    for key in ("base_url", "key_variable"):
        changes[key] = getattr(config, f"proposer_{key}") or (getattr(config, key) if own else None)
    return config.model_copy(update=changes)


def _made(config: Config, beside: Backend) -> Backend:
    """Models behind endpoints share the budget and the journal of the run."""
    if config.backend not in ENDPOINTS:
        return make_backend(config)
    from blackbox.endpoints import anthropic_backend, openai_backend

    return (openai_backend if config.backend == "openai" else anthropic_backend)(config, beside=beside)
