"""Layer 7: experiences as tools that others use."""

from playhead.serve.mcp import ExperienceServer

__all__ = ["ExperienceServer"]
