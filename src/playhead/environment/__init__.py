"""Layer 3: tools, environments, users."""

from playhead.environment._context import ToolContext, ToolFailure
from playhead.environment._environment import Environment, Environments, StateContract, Toolbox
from playhead.environment._tool import Tool, as_tool, tool
from playhead.environment._user import User

__all__ = [
    "Environment",
    "Environments",
    "StateContract",
    "Tool",
    "ToolContext",
    "ToolFailure",
    "Toolbox",
    "User",
    "as_tool",
    "tool",
]
