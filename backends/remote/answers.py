"""What a model server answers: numbers in tensors, exactly as they are; texts and reasons as values."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from blackbox.backends.base import Failure, Generations, Scores, Usage
from blackbox.backends.errors import GarbageError, MessageError
from blackbox.backends.remote.container import Array, packed, unpacked
from blackbox.backends.remote.messages import read
from blackbox.backends.writing import Written

_COUNTS = ("requests", "prompt_tokens", "completion_tokens", "cached_tokens")
_COSTS = ("seconds", "usd")


class _Values(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _FailureValues(_Values):
    prompt: int
    query: int
    reason: str


class _WrittenValues(_Values):
    text: str
    cut: bool


class _ScoresValues(_Values):
    failures: list[_FailureValues]


class _GenerationsValues(_ScoresValues):
    written: list[list[_WrittenValues | None]]


def packed_scores(scores: Scores) -> bytes:
    """Tensors `log_probabilities` (float64, as in `Scores`), `counts` and `costs` of each prompt; values `failures`."""
    tensors = {"log_probabilities": scores.log_probabilities, **_of_usages(scores.usages)}
    return packed({"failures": _of_failures(scores.failures)}, tensors)


def read_scores(content: bytes, *, prompts: int, queries: int) -> Scores:
    """The scores of so many prompts and queries.

    Raises:
        GarbageError: what came back is not that.
    """
    values, tensors = _read(content, _ScoresValues, {"log_probabilities", "counts", "costs"})
    found = tensors["log_probabilities"]
    if found.dtype != np.float64 or found.ndim != 3 or found.shape[:2] != (prompts, queries):
        raise GarbageError(f"the scores must have shape ({prompts}, {queries}, n_options), got {found.shape}")
    return Scores(np.array(found), _usages(tensors, prompts), _failures(values, prompts, queries))


def packed_generations(generations: Generations) -> bytes:
    """Tensors `counts` and `costs` of each prompt; values `written` and `failures`."""
    written = [[one and {"text": one.text, "cut": one.cut} for one in line] for line in generations.written]
    values = {"written": written, "failures": _of_failures(generations.failures)}
    return packed(values, _of_usages(generations.usages))


def read_generations(content: bytes, *, prompts: int, queries: int) -> Generations:
    """The texts behind so many prompts and queries.

    Raises:
        GarbageError: what came back is not that.
    """
    values, tensors = _read(content, _GenerationsValues, {"counts", "costs"})
    if [len(line) for line in values.written] != [queries] * prompts:
        raise GarbageError(f"there must be texts for {prompts} prompts and {queries} queries")
    written = tuple(tuple(one and Written(one.text, one.cut) for one in line) for line in values.written)
    return Generations(written, _usages(tensors, prompts), _failures(values, prompts, queries))


class _TokensValues(_Values):
    tokens: list[int]


class _TextValues(_Values):
    text: str


def packed_tokens(tokens: Sequence[int]) -> bytes:
    """Values `tokens`."""
    return packed({"tokens": list(tokens)}, {})


def read_tokens(content: bytes) -> tuple[int, ...]:
    """Raises: GarbageError: what came back is something else."""
    return tuple(_read(content, _TokensValues, set())[0].tokens)


def packed_text(text: str) -> bytes:
    """Values `text`."""
    return packed({"text": text}, {})


def read_text(content: bytes) -> str:
    """Raises: GarbageError: what came back is something else."""
    return str(_read(content, _TextValues, set())[0].text)


def packed_arrays(arrays: Mapping[str, Array]) -> bytes:
    """Arrays alone."""
    return packed({}, arrays)


def read_arrays(content: bytes, names: Sequence[str], *, dtype: type[np.generic]) -> dict[str, Array]:
    """Arrays of these names and this type.

    Raises:
        GarbageError: what came back is something else.
    """
    arrays = _read(content, _Values, set(names))[1]
    if wrong := next((name for name in names if arrays[name].dtype != dtype), None):
        raise GarbageError(f"tensor {wrong!r} came back with another type: {arrays[wrong].dtype}")
    return arrays


def _read(content: bytes, model: Any, names: set[str]) -> tuple[Any, dict[str, Array]]:
    try:
        values, tensors = unpacked(content)
        read_values = read(model, values)
    except MessageError as error:
        raise GarbageError(f"no answer of a model server came back: {error}") from error
    if tensors.keys() != names:
        raise GarbageError(f"the tensors of the answer must be {sorted(names)}, got {sorted(tensors)}")
    return read_values, tensors


def _of_usages(usages: Sequence[Usage]) -> dict[str, Array]:
    """`counts`, shape (n_prompts, 4), int64, and `costs`, shape (n_prompts, 2), float64."""
    counts = [[getattr(usage, name) for name in _COUNTS] for usage in usages]
    costs = [[getattr(usage, name) for name in _COSTS] for usage in usages]
    return {
        "counts": np.array(counts, dtype=np.int64).reshape(len(usages), len(_COUNTS)),
        "costs": np.array(costs, dtype=np.float64).reshape(len(usages), len(_COSTS)),
    }


def _usages(tensors: Mapping[str, Array], prompts: int) -> tuple[Usage, ...]:
    counts, costs = tensors["counts"], tensors["costs"]
    shapes = (counts.shape, costs.shape) == ((prompts, len(_COUNTS)), (prompts, len(_COSTS)))
    if not shapes or counts.dtype != np.int64 or costs.dtype != np.float64:
        raise GarbageError(f"the usage must be told for {prompts} prompts, got {counts.shape} and {costs.shape}")
    return tuple(
        Usage(**dict(zip((*_COUNTS, *_COSTS), (*of_counts, *of_costs), strict=True)))
        for of_counts, of_costs in zip(counts.tolist(), costs.tolist(), strict=True)
    )


def _of_failures(failures: Sequence[Failure]) -> list[dict[str, object]]:
    return [{"prompt": one.prompt, "query": one.query, "reason": one.reason} for one in failures]


def _failures(values: _ScoresValues, prompts: int, queries: int) -> tuple[Failure, ...]:
    for one in values.failures:
        if not (0 <= one.prompt < prompts and 0 <= one.query < queries):
            raise GarbageError(f"prompt {one.prompt}, query {one.query} cannot have failed: it was not asked for")
    return tuple(Failure(one.prompt, one.query, one.reason) for one in values.failures)
