"""Learning experiences from traces, without a model."""

from playhead.experience.learn._induce import induce
from playhead.experience.learn._settings import LearnSettings
from playhead.experience.learn._trace import Example, Probe, ToolSpec, Trace, clean, tool_spec

__all__ = ["Example", "LearnSettings", "Probe", "ToolSpec", "Trace", "clean", "induce", "tool_spec"]
