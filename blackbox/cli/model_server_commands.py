"""`blackbox serve-model`."""

import os
from enum import StrEnum
from typing import Annotated

import typer

from blackbox.backends.errors import MissingPackageError
from blackbox.backends.remote.backend import TOKEN_VARIABLE
from blackbox.backends.remote.description import Limits
from blackbox.build import make_backend
from blackbox.cli.console import err
from blackbox.config import ModelSettings, make_config
from blackbox.errors import SettingError

_DEFAULTS = Limits()
_MEGABYTE = 1024 * 1024


class Batching(StrEnum):
    """Which calls of several clients are handed to the model as one."""

    EXACT = "exact"
    THROUGHPUT = "throughput"


def _help(setting: str) -> str:
    return ModelSettings.model_fields[setting].description or ""


def serve_model(
    model: Annotated[str, typer.Argument(help=_help("model"), show_default=False)],
    *,
    host: Annotated[
        str, typer.Option(help="Address to listen at; one beyond the loopback needs a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: a free one.")] = 8100,
    token_variable: Annotated[
        str | None,
        typer.Option(
            help="The environment variable that holds the token which clients must bring. \\[default: "
            f"{TOKEN_VARIABLE}, where it is set]",
            show_default=False,
        ),
    ] = None,
    revision: Annotated[str | None, typer.Option(help=_help("revision"), show_default=False)] = None,
    dtype: Annotated[str, typer.Option(help=_help("dtype"))] = "float32",
    device: Annotated[str, typer.Option(help=_help("device"))] = "auto",
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Threads of a forward pass on the CPU. \\[default: all]", show_default=False),
    ] = None,
    batch_tokens: Annotated[int | None, typer.Option(min=1, help=_help("batch_tokens"), show_default=False)] = None,
    cache_bytes: Annotated[int | None, typer.Option(min=0, help=_help("cache_bytes"), show_default=False)] = None,
    cache_on: Annotated[str, typer.Option(help=_help("cache_on"))] = "device",
    single_token_labels: Annotated[
        bool, typer.Option("--single-token-labels", help=_help("single_token_labels"))
    ] = False,
    batching: Annotated[
        Batching,
        typer.Option(
            help="exact: calls of several clients are put together only where no answer changes by a bit; throughput: "
            "all on the same rows are, and answers differ in the last digits with the company."
        ),
    ] = Batching.EXACT,
    wait_ms: Annotated[float, typer.Option(min=0, help="How long calls that are just arriving are waited for.")] = 3.0,
    max_body: Annotated[float, typer.Option(min=0.001, help="Megabytes of a call.")] = (
        _DEFAULTS.body_bytes / _MEGABYTE
    ),
    max_prompts: Annotated[int, typer.Option(min=1, help="Prompts of a call.")] = _DEFAULTS.prompts,
    max_rows: Annotated[int, typer.Option(min=1, help="Rows of a call.")] = _DEFAULTS.rows,
    max_tokens: Annotated[int, typer.Option(min=1, help="Tokens of a prompt of vectors.")] = _DEFAULTS.prompt_tokens,
    max_written: Annotated[
        int, typer.Option(min=1, help="Tokens that are written for a row.")
    ] = _DEFAULTS.written_tokens,
    max_calls: Annotated[
        int, typer.Option(min=1, help="Calls that are received, wait or are worked on; more are told to come again.")
    ] = _DEFAULTS.calls,
) -> None:
    """Offer a model over HTTP, for runs elsewhere with backend "remote": text, soft, deep and prefix prompts."""
    token = _token(token_variable)
    try:
        from blackbox.model_server import make_app, serve
        from blackbox.model_server.access import check_host
    except ImportError as error:
        raise MissingPackageError(
            f"the model server needs {error.name}; install it with: pip install 'blackbox-prompts[local,service]'"
        ) from error
    check_host(host, token=token)
    limits = Limits(
        body_bytes=int(max_body * _MEGABYTE),
        prompts=max_prompts,
        rows=max_rows,
        prompt_tokens=max_tokens,
        written_tokens=max_written,
        calls=max_calls,
    )
    settings = {
        **{"backend": "local", "model": model, "revision": revision, "dtype": dtype, "device": device},
        **{"threads": threads, "batch_tokens": batch_tokens, "cache_bytes": cache_bytes, "cache_on": cache_on},
        "single_token_labels": single_token_labels,
    }
    config = make_config(settings)
    with err.status("loading the model"):
        backend = make_backend(config)
    app = make_app(
        backend,
        token=token,
        limits=limits,
        exact=batching is Batching.EXACT,
        wait_seconds=wait_ms / 1000,
        single_token_labels=single_token_labels,
    )
    who = "with the token only" if token else "to this machine only"
    serve(app, host=host, port=port, ready=lambda url: _say(f"{backend.name} is served at {url}, {who}"))


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - whoever started the server reads the address from here


def _token(variable: str | None) -> str | None:
    token = os.environ.get(variable or TOKEN_VARIABLE, "").strip()
    if variable and not token:
        raise SettingError(f"the environment variable {variable} holds no token; set it, or leave --token-variable out")
    return token or None
