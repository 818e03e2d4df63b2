"""A text prompt as `promptfooconfig.yaml` (https://www.promptfoo.dev/docs/configuration/reference/).

promptfoo reads a prompt that is JSON as the messages of a chat, and puts a row's fields where `{{ name }}` stands in
them. What looks like its markup in the prompt's own text is written as a constant in that markup. A provider and
rows of one's own are to be filled in.
"""

import json
import re

from blackbox.backends import TextPrompt
from blackbox.backends.rendering import conversation
from blackbox.saved_prompt import SavedPrompt
from blackbox.template import Template

_OPEN, _CLOSE = "\ue000", "\ue001"  # around a field's name until the text is escaped: private, in no text
_MARKUP = re.compile(rf"\{{(?=[{{%#{_OPEN}])|#(?=\}})")  # what opens markup, and the end of a comment

_CONFIG = """\
# yaml-language-server: $schema=https://promptfoo.dev/config-schema.json
description: {description}
prompts:
  - |-
{messages}
providers:
  - {provider} # put yours here
{checks}tests: # your rows
  - vars: {fields}
"""
_CHECKS = """\
defaultTest:
  assert:
    - type: contains-any
      value: {words}
"""


def promptfoo_config(prompt: TextPrompt, saved: SavedPrompt) -> str:
    """The file's text. Scalars are written as in JSON, which is YAML as well."""
    template = Template(prompt.template or saved.template)
    row = template.render({name: f"{_OPEN}{name}{_CLOSE}" for name in template.fields}, (), where="the template")
    said = conversation(prompt, row)
    turns = [("system", said.system)] if said.system else []
    messages = [{"role": who, "content": _markup(what)} for who, what in (*turns, *said.turns)]
    return _CONFIG.format(
        description=_json(f"A prompt that blackbox has found for {saved.model}"),
        messages="\n".join("    " + line for line in _json(messages, indent=2).splitlines()),
        provider=_json(f"openai:chat:{saved.model}"),
        checks=_CHECKS.format(words=_json(list(saved.label_words.values()))) if saved.label_words else "",
        fields=_json(dict.fromkeys(template.fields, "...")),
    )


def _markup(text: str) -> str:
    escaped = _MARKUP.sub(lambda found: f'{{{{ "{found[0]}" }}}}', text)
    return escaped.replace(_OPEN, "{{ ").replace(_CLOSE, " }}")


def _json(value: object, *, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent).replace("\x7f", "\\u007f")  # YAML knows it escaped only
