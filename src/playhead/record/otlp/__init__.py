"""OpenTelemetry in and out: traces with the GenAI conventions as tapes, and tapes as traces."""

from playhead.record.otlp._format import Otlp
from playhead.record.otlp._receiver import OTLPReceiver
from playhead.record.otlp._send import Sent, send_tapes

__all__ = ["OTLPReceiver", "Otlp", "Sent", "send_tapes"]
