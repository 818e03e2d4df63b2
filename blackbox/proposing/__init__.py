"""New instructions by a model: what it is asked, how its answer is read, and what is refused."""

from blackbox.proposing.equipment import equip
from blackbox.proposing.proposer import ModelProposer
from blackbox.proposing.refusal import Refusal

__all__ = ["ModelProposer", "Refusal", "equip"]
