"""Layer 3: agents and their nodes."""

from playhead.agent._agent import Agent, find_agent
from playhead.agent._context import NodeContext
from playhead.agent._native import ToolCallingNode
from playhead.agent._node import Node
from playhead.agent._python import called, find_module, find_object
from playhead.agent._react import ReActNode, parse_action
from playhead.agent._read import agent_schema, read_agent
from playhead.agent._signals import Signals
from playhead.agent.functions import Demonstration, Field, FunctionNode, FunctionSpec
from playhead.agent.prompting import PromptBudget, PromptNode
from playhead.agent.teams import Ends, Team

__all__ = [
    "Agent",
    "Demonstration",
    "Ends",
    "Field",
    "FunctionNode",
    "FunctionSpec",
    "Node",
    "NodeContext",
    "PromptBudget",
    "PromptNode",
    "ReActNode",
    "Signals",
    "Team",
    "ToolCallingNode",
    "agent_schema",
    "called",
    "find_agent",
    "find_module",
    "find_object",
    "parse_action",
    "read_agent",
]
