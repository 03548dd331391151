"""GREADTH: six conditions on a dialogue of a form filler, told apart by letter (docs/forms.md)."""

from examples.forms.greadth._finding import Finding, Letter
from examples.forms.greadth._judges import judge_for, judges
from examples.forms.greadth._metric import LETTERS, Greadth, measure
from examples.forms.greadth._scorers import GreadthScorer, SuccessScorer, success

__all__ = [
    "LETTERS",
    "Finding",
    "Greadth",
    "GreadthScorer",
    "Letter",
    "SuccessScorer",
    "judge_for",
    "judges",
    "measure",
    "success",
]
