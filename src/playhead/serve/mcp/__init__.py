"""Trusted experiences as tools of the Model Context Protocol."""

from playhead.serve.mcp._server import ExperienceServer

__all__ = ["ExperienceServer"]
