"""A text prompt as the state of a DSPy predictor, which `dspy.Predict(signature).load` reads.

The signature has the template's fields as inputs and `label`, or the target's field, as output:
`dspy.Predict("text -> label")`. Instruction and demonstrations go over; DSPy puts rows into a form of its own, so that
scores do not. Layout: `Predict.dump_state` of DSPy 3.
"""

import json
import re
from collections.abc import Mapping
from string import Formatter

from blackbox.backends import Demonstration, TextPrompt
from blackbox.errors import RunError
from blackbox.saved_prompt import SavedPrompt
from blackbox.template import LABEL_SLOT, Template


def dspy_state(prompt: TextPrompt, saved: SavedPrompt) -> str:
    """The file's text.

    Raises:
        RunError: a demonstration is no row in the template, so that its fields are not to be had.
    """
    template = Template(prompt.template or saved.template)
    output = saved.target_field or LABEL_SLOT
    words = ", ".join(saved.label_words.values())
    described = {name: f"${{{name}}}" for name in template.fields}
    described[output] = f"one of: {words}" if words else f"${{{output}}}"
    fields = [{"prefix": _prefix(name), "description": text} for name, text in described.items()]
    shown = enumerate(prompt.demonstrations, start=1)
    state: dict[str, object] = {
        "traces": [],
        "train": [],
        "demos": [{**_fields(one, template, number), output: one.answer} for number, one in shown],
        "signature": {"instructions": prompt.text.strip(), "fields": fields},
        "lm": None,
        "metadata": {"dependency_versions": {}},
    }
    return json.dumps(state, ensure_ascii=False, indent=2) + "\n"


def _fields(shown: Demonstration, template: Template, number: int) -> Mapping[str, str]:
    """A demonstration's fields, read out of its text."""
    found: dict[str, str] = {}
    for side, text in zip(template.sides, (shown.before, shown.after), strict=True):
        pattern = _pattern(side)
        match = pattern.fullmatch(text)
        if match is None and pattern.groups:
            raise RunError(
                f"demonstration {number} is no row in the template {template.text!r}, and DSPy needs the row's fields; "
                "use format 'messages'"
            )
        found |= match.groupdict() if match else {}
    return found


def _pattern(side: str) -> re.Pattern[str]:
    """What matches a side of the template, with a group for each field; a field that comes again is the same."""
    seen: set[str] = set()
    pieces = []
    for literal, field, _, _ in Formatter().parse(side):
        pieces.append(re.escape(literal))
        if field is not None:
            pieces.append(f"(?P={field})" if field in seen else f"(?P<{field}>.*?)")
            seen.add(field)
    return re.compile("".join(pieces), re.DOTALL)


def _prefix(name: str) -> str:
    """As DSPy makes it of a field's name."""
    return " ".join(part.capitalize() for part in name.split("_")) + ":"
