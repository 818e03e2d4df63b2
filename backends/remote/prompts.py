"""Prompts as parts of a message and tensors beside it, and back.

What prompts share they share again afterwards: prompts that hold the same array name the same tensor, and arrays that
are two, however alike, stay two. A backend computes shared layers once, so this decides what is computed, bit for bit.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from blackbox.backends.errors import MessageError
from blackbox.backends.prompts import (
    DecomposedPrompt,
    DeepPrompt,
    Demonstration,
    FloatArray,
    PrefixPrompt,
    Prompt,
    SoftPrompt,
    TextPrompt,
    vectors_of,
)
from blackbox.backends.remote.container import Array
from blackbox.backends.remote.messages import DecomposedPart, DeepPart, PrefixPart, ShownPart, SoftPart, TextPart

AnyPart: TypeAlias = TextPart | SoftPart | DeepPart | PrefixPart | DecomposedPart


def parts_of(prompts: Sequence[Prompt]) -> tuple[list[AnyPart], dict[str, FloatArray]]:
    """The parts of some prompts, and the arrays that they name, each once."""
    arrays: dict[str, FloatArray] = {}
    names: dict[int, str] = {}

    def name_of(array: FloatArray) -> str:
        name = names.setdefault(id(array), str(len(names)))
        arrays[name] = array
        return name

    return [_part(prompt, name_of) for prompt in prompts], arrays


def prompts_of(parts: Sequence[AnyPart], arrays: Mapping[str, FloatArray]) -> list[Prompt]:
    """The prompts of some parts.

    Raises:
        MessageError: a part names an array that is not there, no part names an array that is, or the shapes of a
            prompt's arrays do not fit its tokens.
    """
    named: set[str] = set()

    def array_of(name: str) -> FloatArray:
        if name not in arrays:
            raise MessageError(f"a prompt names tensor {name!r}, which is not in the file")
        named.add(name)
        return arrays[name]

    prompts = [_prompt(number, part, array_of) for number, part in enumerate(parts)]
    if unused := sorted(arrays.keys() - named):
        raise MessageError(f"no prompt names tensor {unused[0]!r}")
    return prompts


def first_layers(parts: Sequence[AnyPart]) -> dict[str, int]:
    """Name of an array -> the first layer in which some prompt has it."""
    first: dict[str, int] = {}
    for part in parts:
        if isinstance(part, TextPart):
            continue
        named = {"0": part.vectors} if isinstance(part, SoftPart | DecomposedPart) else part.vectors
        for layer, name in named.items():
            first[name] = min(int(layer), first.get(name, int(layer)))
    return first


def checked_vectors(tensors: Mapping[str, Array]) -> dict[str, FloatArray]:
    """The tensors of a message, if prompts can hold them.

    Raises:
        MessageError: another type than float32, or a number that is not finite.
    """
    for name, array in tensors.items():
        if array.dtype != np.float32:
            raise MessageError(f"tensor {name!r} must be of F32, got {array.dtype}")
        if not np.isfinite(array).all():
            raise MessageError(f"tensor {name!r} must hold finite numbers, got NaN or infinity")
    return dict(tensors)


def _part(prompt: Prompt, name_of: Callable[[FloatArray], str]) -> AnyPart:
    if isinstance(prompt, TextPrompt):
        shown = [ShownPart(before=one.before, answer=one.answer, after=one.after) for one in prompt.demonstrations]
        return TextPart(text=prompt.text, demonstrations=shown, role=prompt.role)
    tokens = [int(token) for token in prompt.token_ids]
    if isinstance(prompt, SoftPrompt):
        return SoftPart(tokens=tokens, vectors=name_of(prompt.vectors))
    if isinstance(prompt, DecomposedPrompt):
        return DecomposedPart(tokens=tokens, vectors=name_of(prompt.vectors))
    vectors = {str(layer): name_of(array) for layer, array in vectors_of(prompt).items()}
    kind = DeepPart if isinstance(prompt, DeepPrompt) else PrefixPart
    return kind(tokens=tokens, vectors=vectors)


def _prompt(number: int, part: AnyPart, array_of: Callable[[str], FloatArray]) -> Prompt:
    if isinstance(part, TextPart):
        shown = tuple(Demonstration(one.before, one.answer, one.after) for one in part.demonstrations)
        return TextPrompt(part.text, shown, part.role)
    tokens = tuple(part.tokens)
    try:
        if isinstance(part, SoftPart):
            return SoftPrompt(tokens, array_of(part.vectors))
        if isinstance(part, DecomposedPart):
            return DecomposedPrompt(tokens, array_of(part.vectors))
        vectors = {int(layer): array_of(name) for layer, name in part.vectors.items()}
        return DeepPrompt(tokens, vectors) if isinstance(part, DeepPart) else PrefixPrompt(tokens, vectors)
    except ValueError as error:
        raise error if isinstance(error, MessageError) else MessageError(f"prompt {number}: {error}") from error
