"""The command line's commands, and what its exit codes mean."""

import logging
import sys
import traceback
from typing import Any

import typer
from rich.logging import RichHandler

from blackbox.backends import BackendError
from blackbox.backends.errors import StoppedError
from blackbox.cli.bank_commands import bank
from blackbox.cli.console import err
from blackbox.cli.doctor import doctor
from blackbox.cli.jobs_commands import jobs
from blackbox.cli.model_server_commands import serve_model
from blackbox.cli.predict_commands import predict
from blackbox.cli.prune_commands import prune
from blackbox.cli.run_commands import compare, evaluate, export, journal, show
from blackbox.cli.serve_commands import serve
from blackbox.cli.sweep_commands import sweep
from blackbox.cli.tokens_commands import tokens
from blackbox.cli.tune_commands import resume, tune
from blackbox.cli.worker_commands import worker
from blackbox.client import RefusedByServiceError, UnreachableError
from blackbox.errors import BlackboxError
from blackbox.optimizers import OptimizerError, SearchError
from blackbox.stop_signal import stop_at_sigterm

DONE, FAILED, WRONG_INPUT, STOPPED = 0, 1, 2, 130

# Typer exports no name for it, and has moved it from click into itself.
_ClickException: Any = typer.BadParameter.mro()[2]

app = typer.Typer(
    help="Gradient-free optimization of prompts for language models that can only be queried.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(tune)
app.command()(resume)
app.command()(sweep)
app.command()(evaluate)
app.command()(predict)
app.command()(show)
app.command()(export)
app.command()(prune)
app.command()(compare)
app.command()(journal)
app.command()(serve_model)
app.command()(doctor)
app.command()(worker)
app.command()(serve)
app.add_typer(bank, name="bank")
app.add_typer(jobs, name="jobs")
app.add_typer(tokens, name="tokens")


@app.callback()
def options(traceback: bool = typer.Option(False, help="Show where an error comes from.")) -> None:
    """Options that stand before the command."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    logging.basicConfig(
        level=logging.WARNING, format="%(message)s", handlers=[RichHandler(console=err, show_path=False)]
    )
    stop_at_sigterm()
    sys.exit(_exit_code(arguments))


def _exit_code(arguments: list[str]) -> int:
    try:
        code = app(args=arguments or ["--help"], prog_name="blackbox", standalone_mode=False)
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else FAILED
    except (KeyboardInterrupt, typer.Abort):
        return STOPPED
    except _ClickException as error:
        return _say(error, WRONG_INPUT, arguments, text=error.format_message())
    except (BlackboxError, BackendError, OptimizerError) as error:
        return _say(error, FAILED if _is_failure(error) else WRONG_INPUT, arguments)
    except Exception as error:  # noqa: BLE001 - the last line of defence: one line for the user, never a silent end
        return _say(error, FAILED, arguments)
    return code if isinstance(code, int) else DONE


def _is_failure(error: Exception) -> bool:
    """Whether something broke in mid-run or elsewhere; else the input is wrong."""
    if isinstance(error, RefusedByServiceError):
        return error.status >= 500
    return isinstance(error, SearchError | StoppedError | UnreachableError)


def _say(error: Exception, code: int, arguments: list[str], *, text: str | None = None) -> int:
    """One line on stderr; `text` stands for the error's own."""
    if "--traceback" in arguments:
        traceback.print_exception(error)
    text = " ".join((text or str(error)).split()) or "no message"
    kind = "" if code == WRONG_INPUT else f"{type(error).__name__}: "
    hint = "" if code == WRONG_INPUT or "--traceback" in arguments else " (blackbox --traceback ... shows where)"
    err.print(f"error: {kind}{text}{hint}", style="red", markup=False, highlight=False, soft_wrap=True)
    return code
