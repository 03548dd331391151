"""The demonstration, and the office agent that comes along."""

from playhead.cli.demo._agent import office_agent, office_environment
from playhead.cli.demo._story import demonstrate

__all__ = ["demonstrate", "office_agent", "office_environment"]
