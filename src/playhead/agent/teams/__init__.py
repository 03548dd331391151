"""Teams: manager and workers, chain, group chat, hand-off; and when their work is done."""

from playhead.agent.teams._ends import Ends
from playhead.agent.teams._nodes import ChainNode, ChatNode, DeskNode, ManagerNode, TeamNode
from playhead.agent.teams._team import Team

__all__ = ["ChainNode", "ChatNode", "DeskNode", "Ends", "ManagerNode", "Team", "TeamNode"]
