"""OpenTelemetry in and out: traces with the GenAI conventions as tapes, and tapes as traces."""

from playhead.record.otlp._format import Otlp

__all__ = ["Otlp"]
