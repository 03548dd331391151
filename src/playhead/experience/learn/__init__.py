"""Learning experiences from recorded sessions, without a model (docs/experiences.md).

Tapes become traces, traces of one kind are found, and of each kind one experience is induced: what
varies in the texts, how each value is found, what is written under which condition. Leave-one-out
decides what is kept.
"""

from playhead.experience.learn._group import grouped
from playhead.experience.learn._induce import Induced, induce
from playhead.experience.learn._learn import Learned, Quarantined, learn, learn_traces
from playhead.experience.learn._settings import LearnSettings
from playhead.experience.learn._tapes import trace_of_tape
from playhead.experience.learn._trace import Example, Probe, ToolSpec, Trace, clean, tool_spec

__all__ = [
    "Example",
    "Induced",
    "LearnSettings",
    "Learned",
    "Probe",
    "Quarantined",
    "ToolSpec",
    "Trace",
    "clean",
    "grouped",
    "induce",
    "learn",
    "learn_traces",
    "tool_spec",
    "trace_of_tape",
]
