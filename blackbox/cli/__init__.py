"""The command line: `blackbox tune | resume | sweep | evaluate | predict | show | export | prune | compare |
journal | bank | doctor`, of a model for others `blackbox serve-model`, and of the service `blackbox serve | worker |
jobs | tokens`.

Exit codes: 0 done, 1 failed, 2 wrong input, 130 stopped by the user. Errors are one line on stderr; `--traceback`
shows where they come from.
"""

from blackbox.cli.app import main

__all__ = ["main"]
