"""Where the command line prints: data and results to stdout, all else to stderr."""

from rich.console import Console, ConsoleDimensions

WIDE = 120  # columns that a table of several runs needs


class _Output(Console):
    """Wide where no terminal sets a limit: in a pipe, the 80 columns that Rich takes would break words and figures."""

    @property  # type: ignore[misc]
    def size(self) -> ConsoleDimensions:
        """Columns and rows of the terminal, or of what stands for one."""
        size = super().size
        return size if self.is_terminal else size._replace(width=max(WIDE, size.width))


out = _Output()
err = Console(stderr=True)
