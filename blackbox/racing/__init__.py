"""Racing: candidates meet the same rows in the same order, and those that can hardly win any more leave early."""

from blackbox.racing.answers import Score
from blackbox.racing.order import row_order
from blackbox.racing.result import FreshFigure, Left, RaceResult, SetAside
from blackbox.racing.rules import RaceRules
from blackbox.racing.running import race

__all__ = ["FreshFigure", "Left", "RaceResult", "RaceRules", "Score", "SetAside", "race", "row_order"]
