"""Where the command line prints: data and results to stdout, all else to stderr."""

from rich.console import Console

out = Console()
err = Console(stderr=True)
