"""Graders: how the rows of a task are asked, and what their answers are worth."""

from blackbox.graders.base import Graded, Grader
from blackbox.graders.make import ANSWER_TOKENS, make_grader
from blackbox.graders.scores import ScoreGrader
from blackbox.graders.texts import LikelihoodGrader

__all__ = ["ANSWER_TOKENS", "Graded", "Grader", "LikelihoodGrader", "ScoreGrader", "make_grader"]
