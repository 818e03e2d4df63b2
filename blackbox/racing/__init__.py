"""Racing: candidates meet the same rows in the same order, and the rows go where they may still decide."""

from blackbox.racing.answers import Score
from blackbox.racing.order import row_order
from blackbox.racing.result import FreshFigure, RaceResult, SetAside
from blackbox.racing.rules import RaceRules
from blackbox.racing.running import race

__all__ = ["FreshFigure", "RaceResult", "RaceRules", "Score", "SetAside", "race", "row_order"]
