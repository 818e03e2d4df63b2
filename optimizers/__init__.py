"""Derivative-free search: losses in, candidates out, of numbers or of choices. Knows no prompt and no model.

    optimizer = CMAES(500, sigma=0.2, seed=1)
    while not optimizer.stop():
        candidates = optimizer.ask()            # (n, 500)
        optimizer.tell(candidates, [loss(z) for z in candidates])
    optimizer.best.candidate

Importing this package imports neither `cma` nor `nevergrad`; making an optimizer that needs one does.
"""

from blackbox.optimizers.base import Best, FloatArray, LearnsFromRows, Optimizer, State
from blackbox.optimizers.blockwise import Blockwise
from blackbox.optimizers.categorical import Categorical
from blackbox.optimizers.choices import ChoiceOptimizer, RandomChoices
from blackbox.optimizers.cma_es import CMAES
from blackbox.optimizers.domain import Domain
from blackbox.optimizers.enumeration import Enumeration
from blackbox.optimizers.errors import (
    MissingPackageError,
    OptimizerError,
    SearchError,
    SettingError,
    StateError,
    TellError,
    TurnError,
)
from blackbox.optimizers.evolution import Evolution
from blackbox.optimizers.evolution_strategy import EvolutionStrategy
from blackbox.optimizers.islands import Islands, TakesMigrants
from blackbox.optimizers.mirrored import MirroredOptimizer
from blackbox.optimizers.nevergrad_search import NevergradChoices, NevergradSearch
from blackbox.optimizers.proposals import Proposer, Request, TakesProposals
from blackbox.optimizers.random_search import RandomSearch
from blackbox.optimizers.reflective import Reflective
from blackbox.optimizers.replay import Engine, ReplayedOptimizer
from blackbox.optimizers.spsa import SPSA
from blackbox.optimizers.updates import Update, UpdateRule
from blackbox.optimizers.zeroth_order_adam import ZerothOrderAdam

__all__ = [
    "CMAES",
    "SPSA",
    "Best",
    "Blockwise",
    "Categorical",
    "ChoiceOptimizer",
    "Domain",
    "Engine",
    "Enumeration",
    "Evolution",
    "EvolutionStrategy",
    "FloatArray",
    "Islands",
    "LearnsFromRows",
    "MirroredOptimizer",
    "MissingPackageError",
    "NevergradChoices",
    "NevergradSearch",
    "Optimizer",
    "OptimizerError",
    "Proposer",
    "RandomChoices",
    "RandomSearch",
    "Reflective",
    "ReplayedOptimizer",
    "Request",
    "SearchError",
    "SettingError",
    "State",
    "StateError",
    "TakesMigrants",
    "TakesProposals",
    "TellError",
    "TurnError",
    "Update",
    "UpdateRule",
    "ZerothOrderAdam",
]
