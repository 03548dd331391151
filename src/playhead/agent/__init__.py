"""Layer 3: agents and their nodes."""

from playhead.agent._agent import Agent, find_agent
from playhead.agent._context import NodeContext
from playhead.agent._native import ToolCallingNode
from playhead.agent._node import Node
from playhead.agent._react import ReActNode, parse_action

__all__ = [
    "Agent",
    "Node",
    "NodeContext",
    "ReActNode",
    "ToolCallingNode",
    "find_agent",
    "parse_action",
]
