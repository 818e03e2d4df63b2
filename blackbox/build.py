"""From settings to parts. The built-in backends are registered here as a stranger's would be."""

from blackbox.backends import Backend, Capability, FakeBackend
from blackbox.backends.errors import MissingPackageError
from blackbox.config import NOBODY, Config
from blackbox.errors import DataError, SettingError
from blackbox.loaded_models import once
from blackbox.named_optimizers import check_optimizer_name
from blackbox.optimizers import Optimizer
from blackbox.registry import BACKENDS, SPACES
from blackbox.template import Template


def check_names(config: Config) -> None:
    """Refuse names that nothing has, before anything is loaded.

    Raises:
        UnknownNameError: of the backend, that of a proposing model, the space, the optimizer or a variant of it.
    """
    BACKENDS.get(config.backend)
    if config.proposer_backend not in (None, NOBODY):
        BACKENDS.get(config.proposer_backend)
    SPACES.get(config.space)
    check_optimizer_name(config)


def check_elites(config: Config, backend: Backend | str | None, optimizer: Optimizer | str | None) -> None:
    """Refuse elites that cannot be, before anything is loaded.

    Raises:
        SettingError: as many as a generation has candidates, or a backend that is given as an object.
    """
    if not config.elites:
        return
    population = optimizer.population_size if isinstance(optimizer, Optimizer) else config.population
    if config.elites >= population:
        raise SettingError(
            f"elites must be fewer than the {population} candidates of a generation, got {config.elites}"
        )
    if not (backend is None or isinstance(backend, str)):
        raise SettingError(
            f"elites need a backend by name, which can be loaded in float32 as well, got a {type(backend).__name__} "
            "object; register a factory of yours with blackbox.registry.BACKENDS.add, or leave elites at 0"
        )


def make_backend(config: Config) -> Backend:
    """The backend that the settings name, loaded."""
    return BACKENDS.get(config.backend)(config)


def make_exact_backend(config: Config, backend: Backend) -> Backend | None:
    """The model of `backend` in float32, loaded; None where nothing is to be scored again, or `backend` is that.

    Raises:
        SettingError: the name stands for another model by now.
    """
    if not config.elites or config.dtype == "float32":
        return None
    exact = make_backend(config.model_copy(update={"dtype": "float32"}))
    if exact.model_hash != backend.model_hash:
        raise SettingError(
            f"elites need the same weights in {config.dtype} and float32, model {backend.name!r} has the hashes "
            f"{backend.model_hash[:12]} and {exact.model_hash[:12]}"
        )
    return exact


def check_template(backend: Backend, template: Template) -> None:
    """Refuse fields that the model would never see.

    Raises:
        DataError: a field stands behind `{label}`, and the backend lacks `Capability.INFILL`.
    """
    if template.fields_behind_label and Capability.INFILL not in backend.capabilities:
        unseen = ", ".join(f"{{{name}}}" for name in template.fields_behind_label)
        raise DataError(
            f"template puts {unseen} behind {{label}}, and model {backend.name!r} reads left to right: "
            "put {label} last"
        )


@once
def _local(config: Config) -> Backend:
    try:
        from blackbox.backends.local import load_backend
    except ImportError as error:
        raise MissingPackageError(
            f"backend 'local' needs {error.name}; install it with: pip install 'blackbox-prompts[local]'"
        ) from error
    return load_backend(
        config.model,
        revision=config.revision,
        dtype=config.dtype,
        device=config.device,
        batch_tokens=config.batch_tokens,
        cache_bytes=config.cache_bytes,
        cache_on=config.cache_on,
        single_token_labels=config.single_token_labels,
        threads=config.threads_of_worker,
    )


def _fake(config: Config) -> Backend:
    return FakeBackend()


def _openai(config: Config) -> Backend:
    from blackbox.endpoints import openai_backend

    return openai_backend(config)


def _anthropic(config: Config) -> Backend:
    from blackbox.endpoints import anthropic_backend

    return anthropic_backend(config)


def _remote(config: Config) -> Backend:
    from blackbox.remote_models import remote_backend

    return remote_backend(config)


def _vllm(config: Config) -> Backend:
    from blackbox.endpoints import vllm_transport

    transport = vllm_transport(config)
    try:
        from blackbox.backends.vllm import load_vllm
    except ImportError as error:
        raise MissingPackageError(
            f"backend 'vllm' needs {error.name} here; install it with: pip install 'blackbox-prompts[local]'"
        ) from error
    return load_vllm(
        config.model,
        transport,
        files=config.model_files,
        revision=config.revision,
        dtype=config.dtype,
        single_token_labels=config.single_token_labels,
    )


BACKENDS.add("anthropic", _anthropic)
BACKENDS.add("fake", _fake)
BACKENDS.add("local", _local)
BACKENDS.add("openai", _openai)
BACKENDS.add("remote", _remote)
BACKENDS.add("vllm", _vllm)
