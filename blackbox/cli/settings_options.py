"""Settings as options of a command."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.markup import escape

from blackbox.config import Config

Command = Callable[..., None]


def _title(of: type) -> str:
    return of.__doc__.rstrip(".") if of.__doc__ else ""


_PANELS = {
    name: _title(base)
    for base in Config.__mro__
    for name in getattr(base, "__annotations__", {})
    if name in Config.model_fields
}


def with_settings(of: type[BaseModel] = Config) -> Callable[[Command], Command]:
    """Add an option for each setting to a command that takes them as `**settings`; those not given are left out.

    Args:
        of: the settings: all of them, one of the parts of `Config`, or others, which have a panel of their own.
    """

    def decorate(command: Command) -> Command:
        def wrapped(**arguments: Any) -> None:
            own = {name: arguments.pop(name) for name in parameters}
            command(**own, **{name: value for name, value in arguments.items() if value not in (None, [])})

        signature = inspect.signature(command)
        parameters = {name: p for name, p in signature.parameters.items() if p.kind is not p.VAR_KEYWORD}
        options = [_option(of, name) for name in of.model_fields if name not in parameters]
        wrapped.__name__, wrapped.__doc__ = command.__name__, command.__doc__
        wrapped.__signature__ = signature.replace(parameters=[*parameters.values(), *options])  # type: ignore[attr-defined]
        return wrapped

    return decorate


def _option(of: type[BaseModel], name: str) -> inspect.Parameter:
    field = of.model_fields[name]
    kinds: dict[Any, Any] = {
        int | None: int,
        float | None: float,
        int: int,
        float: float,
        bool: bool,
        list[str]: list[str],
    }
    kind = kinds.get(field.annotation, str)
    default = field.get_default(call_default_factory=True)
    shown = "" if default in (None, {}, []) else f" [default: {default}]"
    panel = _PANELS[name] if issubclass(Config, of) else _title(of)
    option = typer.Option(help=escape((field.description or "") + shown), show_default=False, rich_help_panel=panel)
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option]
    )
