"""Layer 7: agents as endpoints that others use: OpenAI's API, and tools of MCP."""

from playhead.serve._mcp import AgentTool
from playhead.serve._served import Served
from playhead.serve._server import AgentServer
from playhead.serve.experiences import ExperienceServer

__all__ = [
    "AgentServer",
    "AgentTool",
    "ExperienceServer",
    "Served",
]
