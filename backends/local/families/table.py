"""Which models are run layer by layer; any other is run whole."""

from typing import Any

from blackbox.backends.local.families.bart import Bart
from blackbox.backends.local.families.base import Family
from blackbox.backends.local.families.bert import Bert, Roberta
from blackbox.backends.local.families.gemma import Gemma
from blackbox.backends.local.families.gpt2 import GPT2
from blackbox.backends.local.families.llama import Llama, Mistral
from blackbox.backends.local.families.neox import NeoX
from blackbox.backends.local.families.opt import OPT
from blackbox.backends.local.families.t5 import T5

FAMILIES: dict[str, type[Family]] = {
    "bart": Bart,
    "bert": Bert,
    "camembert": Roberta,
    "gemma": Gemma,
    "gemma2": Gemma,
    "gemma3_text": Gemma,
    "gpt2": GPT2,
    "gpt_neox": NeoX,
    "llama": Llama,
    "mistral": Mistral,
    "mt5": T5,
    "opt": OPT,
    "qwen2": Llama,
    "qwen3": Llama,
    "roberta": Roberta,
    "t5": T5,
    "xlm-roberta": Roberta,
}
"""By the model type of transformers' configuration."""

_CHANGING_ROTATIONS = ("dynamic", "longrope")  # by the longest sequence of a call


def family_of(model: Any) -> Family | None:
    """The family of a model of transformers; None where there is none."""
    family = FAMILIES.get(model.config.model_type)
    rotation = getattr(model.config, "rope_parameters", None) or {}
    rotations = (rotation, *rotation.values())  # one, or one for each kind of layer
    if family is None or any(
        isinstance(one, dict) and one.get("rope_type") in _CHANGING_ROTATIONS for one in rotations
    ):
        return None
    return family(model)
