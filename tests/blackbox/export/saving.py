"""Saved prompts of small random models, and what the models answer behind them."""

from typing import Any

from blackbox.backends import EmbeddingBackend, Prompt
from blackbox.backends.local import LocalBackend, load_backend
from blackbox.backends.prompts import DecomposedPrompt, SoftPrompt
from blackbox.saved_prompt import SavedPrompt
from tests.backends.local.candidates import TOKENS, deep, prefix, vectors
from tests.backends.local.conftest import Save
from tests.blackbox.small import make_task

TEMPLATE = "{text} it was {label} ."
TEXTS = ("a quiet film .", "the worst evening of my long life and", "fun")


def from_folder(save: Save, kind: str) -> LocalBackend:
    """The backend of a small model that is saved in a folder, by whose path others load it."""
    return load_backend(str(save(kind)))


def prompt_of(kind: str, backend: LocalBackend) -> Prompt:
    """A prompt whose vectors are not zero: "soft", "deep", "prefix" or "decomposed"."""
    made: dict[str, Any] = {
        "soft": lambda: SoftPrompt(TOKENS, vectors(1)),
        "deep": lambda: deep(0, 2),
        "prefix": lambda: prefix(backend, 0, 1, 3),
        "decomposed": lambda: DecomposedPrompt(TOKENS, vectors(1, n_tokens=len(TOKENS) + 4)),
    }
    prompt: Prompt = made[kind]()
    return prompt


def saved(prompt: Prompt, backend: EmbeddingBackend, *, words: tuple[str, str] = ("bad", "great")) -> SavedPrompt:
    """The prompt for a task whose rows have text behind the label, where the model can see it."""
    template = TEMPLATE if backend.frame.blank is not None else TEMPLATE.removesuffix(" .")
    task = make_task(template=template, label_words=dict(zip(("negative", "positive"), words, strict=True)))
    return SavedPrompt.of(prompt, backend=backend, task=task, scores={})
