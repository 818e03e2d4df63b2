"""Which forward pass serves a model."""

import logging
from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from blackbox.backends.local.families.table import family_of
from blackbox.backends.local.fast_forward import FastForward
from blackbox.backends.local.layer_cache import LayerCache
from blackbox.backends.local.placed import PlacedPrompt
from blackbox.backends.local.reading import Reading
from blackbox.backends.local.sequences import Batch, Target, TokenSequence
from blackbox.backends.local.whole_forward import WholeForward

log = logging.getLogger(__name__)


class Forward(Protocol):
    """Forward passes of prompts and rows: see `FastForward`."""

    @property
    def width(self) -> int: ...

    def read_with_each_row(self, prompt: PlacedPrompt) -> int: ...

    def answers(self, prompts: Sequence[PlacedPrompt], batch: Batch, *, at_once: int) -> Tensor: ...

    def outputs(self, prompts: Sequence[PlacedPrompt], batch: Batch, *, at_once: int) -> Tensor: ...

    def logits(self, outputs: Tensor) -> Tensor: ...

    def state_bytes(self, prompt: PlacedPrompt, batches: Sequence[Batch]) -> int: ...


def make_forward(whole: WholeForward, cache: LayerCache) -> Forward:
    """The fast pass of the model's family, if it has one that answers as the model itself does on a few tokens."""
    prompt, batch = _trial(whole)
    expected = whole.answers([prompt], batch, at_once=1)
    try:
        family = family_of(whole.model)
        if family is None:
            return whole
        fast = FastForward(family, whole.model, cache)
        found = fast.answers([prompt], batch, at_once=1)
    except AttributeError as error:  # versions of transformers move and rename the parts of models
        return _run_whole(whole, str(error))
    finally:
        cache.clear()
    tolerance = 1e-3 if whole.model.dtype == torch.float32 else 0.1
    if not torch.allclose(found, expected, rtol=tolerance, atol=tolerance * float(expected.abs().max())):
        return _run_whole(whole, f"logits differ by {float((found - expected).abs().max()):.2g}")
    return fast


def _run_whole(whole: WholeForward, reason: str) -> WholeForward:
    log.warning(
        "model type %r is not what its family says (%s); it is run whole, which is slow",
        whole.model.config.model_type,
        reason,
    )
    return whole


def _trial(whole: WholeForward) -> tuple[PlacedPrompt, Batch]:
    """A prompt and rows of two lengths, of any tokens that are none of the special ones."""
    targets = (Target(0, 1, 4), Target(1, 1, 5))
    config: Any = whole.model.config
    if whole.reading is Reading.ENCODER_DECODER:
        decoder = (config.decoder_start_token_id, 6)
        rows = [TokenSequence(ids, number, targets, (0, 0), decoder) for number, ids in enumerate([(7, 5), (4, 6, 7)])]
    else:
        rows = [TokenSequence(ids, number, targets, (0,) * len(ids)) for number, ids in enumerate([(7, 5), (4, 6, 7)])]
    return PlacedPrompt((5, 6), 0, {}), Batch(tuple(rows), normalised=False)
