"""Texts that speak of instructions, or of the model that writes them, instead of being one.

Small models comment on what they are asked for. The patterns are taken from what SmolLM2-135M-Instruct wrote in real
runs, and are kept clear of what instructions of real use say.
"""

import re

_KINDS = (
    "alternative|combined|correct|crossed|final|improved|initial|mutated|new|better|original|provided|revised|"
    "rewritten|specified"
)
_MAKING = (
    "add|change|clarify|combine|create|cross over|edit|enhance|generate|improve|modify|mutate|refine|revise|rewrite|"
    "write"
)
_INSTRUCTION = r"(?:instruction|prompt)s?\b"
_TALK = re.compile(
    "|".join(
        (
            rf"\b(?:{_KINDS})\s+(?:\w+\s+)?{_INSTRUCTION}",
            rf"\b(?:{_MAKING})\s+(?:\w+\s+){{0,5}}{_INSTRUCTION}",
            rf"\b{_INSTRUCTION}\s+(?:says?|must|should|needs?|stands?|reads?|clarif\w+)\b",
            rf"\b{_INSTRUCTION}\s+(?:is|are|was|were)\s+(?:to|not|more|clear|designed|based|meant|very|too|precise)\b",
            r"\bmakes? sense by itself\b",
            r"\b(?:differs?|different) from (?:the )?(?:earlier|previous)\b",
            r"\bI(?:'m| am) (?:ready|here|happy|glad) to\b",
            r"\bhow (?:can|may) I (?:help|assist)\b",
            r"\bAI assistant (?:named|called)\b",
            r"(?<!you are a )(?<!as a )\blanguage models?\b",
            r"\bAI(?:-powered)? models?\b",
            r"\bthe model (?:answers?|improves?|must|should|needs?)\b",
            r"\bby the model\b",
        )
    ),
    re.IGNORECASE,
)


def talks_about_instructions(text: str) -> bool:
    """See the module."""
    return bool(_TALK.search(text))
