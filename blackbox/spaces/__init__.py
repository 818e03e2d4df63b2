"""Prompt spaces: candidates in, prompts out."""

from blackbox.spaces.base import GrowingSpace, MatrixSpace, PromptSpace, WrittenSpace, prompt_of
from blackbox.spaces.choices import ChoicesSpace
from blackbox.spaces.decomposed import DecomposedSpace
from blackbox.spaces.deep import DeepSpace
from blackbox.spaces.prefix import PrefixSpace
from blackbox.spaces.projected import Induced, ProjectedInstructionSpace
from blackbox.spaces.projection import PROJECTIONS, Projection
from blackbox.spaces.soft import SoftSpace
from blackbox.spaces.texts import TextsSpace

__all__ = [
    "PROJECTIONS",
    "ChoicesSpace",
    "DecomposedSpace",
    "DeepSpace",
    "GrowingSpace",
    "Induced",
    "MatrixSpace",
    "PrefixSpace",
    "ProjectedInstructionSpace",
    "Projection",
    "PromptSpace",
    "SoftSpace",
    "TextsSpace",
    "WrittenSpace",
    "prompt_of",
]
