"""Parts of a long benchmark that are kept when they are done, so that one that was stopped goes on."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


def once(name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The figures of a part, made unless they are kept under its name.

    The file is named by $BLACKBOX_KEPT, one JSON object a line; without it nothing is kept. It knows no versions: begin
    with a new one when the code has changed.
    """
    path = os.environ.get("BLACKBOX_KEPT")
    if path is None:
        return make()
    kept = Path(path)
    lines = kept.read_text().splitlines() if kept.exists() else []
    for part in map(json.loads, lines):
        if part["name"] == name:
            figures: dict[str, Any] = part["figures"]
            return figures
    figures = make()
    with kept.open("a") as file:
        file.write(json.dumps({"name": name, "figures": figures}) + "\n")
    return figures
