"""Typed functions that a model carries out: signatures, instructions, demonstrations."""

from playhead.agent.functions._node import FunctionNode
from playhead.agent.functions._spec import Demonstration, FunctionSpec
from playhead.agent.functions._types import Field, read_signature

__all__ = ["Demonstration", "Field", "FunctionNode", "FunctionSpec", "read_signature"]
