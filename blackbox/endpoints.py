"""Backends of models behind an endpoint, from the settings: address, key, budget, prices, journal."""

import hashlib
import os
from pathlib import Path

from blackbox.backends import Backend
from blackbox.backends.api import (
    Answers,
    Anthropic,
    ApiBackend,
    Asker,
    Dialect,
    Endpoint,
    Ledger,
    Limits,
    OpenAI,
    Patience,
    Price,
    Transport,
    make_scoring,
    price_of,
    probed,
)
from blackbox.config import LIMITS, Config, ExecutorSettings
from blackbox.errors import SettingError
from blackbox.shared_endpoints import present

OPENAI_URL, ANTHROPIC_URL = "https://api.openai.com/v1", "https://api.anthropic.com/v1"
_CHANGES_NOTHING = {"answers", "train", "dev", "test", "parallel", *ExecutorSettings.model_fields}
_PATHS = {
    "auto": ("/chat/completions", "/completions"),
    "chat": ("/chat/completions",),
    "completions": ("/completions",),
}


def openai_backend(config: Config, *, beside: Backend | None = None) -> Backend:
    """The model behind an endpoint that speaks as OpenAI's does.

    Args:
        config: the settings.
        beside: another model of the same run. If it is behind an endpoint, the two share one budget and one journal.

    Raises:
        SettingError: no model is named, or the key's variable is not set.
        EndpointError: the endpoint cannot be reached, or refuses the key or the model.
    """
    key = _key(config, "OPENAI_API_KEY", needed=config.base_url is None)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    dialect = OpenAI(config.model, _PATHS[config.endpoint])
    return _backend(config, dialect, base_url=config.base_url or OPENAI_URL, headers=headers, beside=beside)


def anthropic_backend(config: Config, *, beside: Backend | None = None) -> Backend:
    """The model behind an endpoint that speaks as Anthropic's does; all else as of `openai_backend`."""
    key = _key(config, "ANTHROPIC_API_KEY", needed=config.base_url is None)
    headers = {"anthropic-version": Anthropic.VERSION, **({"x-api-key": key} if key else {})}
    dialect = Anthropic(config.model)
    return _backend(config, dialect, base_url=config.base_url or ANTHROPIC_URL, headers=headers, beside=beside)


def vllm_transport(config: Config) -> Transport:
    """Calls to a server of vLLM, which cost nothing but time and are not kept.

    Raises:
        SettingError: no URL or model, a budget of requests, tokens or USD, or the key's variable is not set.
    """
    if config.base_url is None:
        raise SettingError("backend 'vllm' needs `base_url`, where vLLM runs: http://host:8000/v1")
    for name in LIMITS:
        if name != "seconds" and getattr(config, name) is not None:
            raise SettingError(
                f"backend 'vllm' keeps no account of calls: leave {name} out, or use evaluations, seconds"
            )
    key = _key(config, "VLLM_API_KEY", needed=False)
    return Transport(
        Endpoint(config.base_url, {"Authorization": f"Bearer {key}"} if key else {}),
        ledger=Ledger(Limits()),
        parallel=config.parallel,
        patience=Patience(config.call_seconds, config.outage_seconds),
    )


def run_of(config: Config) -> str:
    """The name under which a run's costs are written down: the same for the same settings, wherever its folder is."""
    settings = config.model_dump_json(exclude=_CHANGES_NOTHING)
    return hashlib.sha256(settings.encode()).hexdigest()[:12]


def _backend(
    config: Config, dialect: Dialect, *, base_url: str, headers: dict[str, str], beside: Backend | None
) -> Backend:
    answers, ledger = _books(config, beside)
    endpoint = Endpoint(base_url, headers)
    patience = Patience(config.call_seconds, config.outage_seconds)
    shared = present()
    gate = shared.gates.of(endpoint, parallel=config.parallel, patience=patience) if shared else None
    transport = Transport(endpoint, ledger=ledger, parallel=config.parallel, patience=patience, gate=gate)
    asker = Asker(dialect, transport, answers)
    features = probed(asker)
    scoring = make_scoring(config.scoring, features, answer_tokens=config.answer_tokens)
    return ApiBackend(config.model, asker, features=features, scoring=scoring)


def _books(config: Config, beside: Backend | None) -> tuple[Answers, Ledger]:
    """The journal and the ledger of a run, at the price of the model."""
    if isinstance(beside, ApiBackend):
        return beside.asker.answers, beside.asker.transport.ledger.at_price(price(config))
    answers = Answers(_made(answers_file(config)), run=run_of(config))
    answers.charge_lost(limits(config))
    shared = present()
    within = shared.account if shared else None
    spent, elapsed = answers.spent(), answers.elapsed
    return answers, Ledger(limits(config), price(config), spent=spent, elapsed=elapsed, within=within)


def limits(config: Config) -> Limits:
    """The hard budget that the settings name."""
    return Limits(
        requests=config.max_requests,
        prompt_tokens=config.max_prompt_tokens,
        completion_tokens=config.max_completion_tokens,
        usd=config.max_usd,
        seconds=config.seconds,
    )


def price(config: Config) -> Price | None:
    """The price that the settings give, or that of a known model at its own provider."""
    given = (config.usd_per_million_prompt_tokens, config.usd_per_million_completion_tokens)
    if given[0] is not None and given[1] is not None:
        return Price.per_million(given[0], given[1])
    if given != (None, None):
        raise SettingError("a price needs both usd_per_million_prompt_tokens and usd_per_million_completion_tokens")
    return None if config.base_url else price_of(config.model)


def _key(config: Config, usual: str, *, needed: bool) -> str | None:
    if "model" not in config.model_fields_set:
        raise SettingError(f"backend {config.backend!r} needs `model`, the model's name at the endpoint")
    variable = config.key_variable or usual
    key = os.environ.get(variable, "").strip()
    if not key and (needed or config.key_variable):
        raise SettingError(f"the environment variable {variable} holds no key; set it, or name another: key_variable")
    return key or None


def answers_file(config: Config, default: Path | None = None) -> Path | None:
    """Where the settings say that answers are kept, or the default."""
    return Path(config.answers).expanduser() if config.answers else default


def _made(file: Path | None) -> Path | None:
    """The file, once its folder is there."""
    if file is None:
        return None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(f"answers: {file.parent}: {error.strerror or error}") from error
    return file
