"""Nodes as data: templates, structured output, repair, budgets of tokens."""

from playhead.agent.prompting._budget import PromptBudget
from playhead.agent.prompting._node import PromptNode
from playhead.agent.prompting._shape import OutputShape, OutputType, Reading
from playhead.agent.prompting._template import Template
from playhead.agent.prompting._values import NAMES, Texts

__all__ = [
    "NAMES",
    "OutputShape",
    "OutputType",
    "PromptBudget",
    "PromptNode",
    "Reading",
    "Template",
    "Texts",
]
