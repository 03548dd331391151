"""Layer 5: sessions from elsewhere: importers and exporters, one file a format."""

from playhead.record._exchange import Answered, Asked, Exchange
from playhead.record._file import MAX_RECORD, ForeignFile, Record
from playhead.record._foreign import ForeignTape, Keys, tape_id
from playhead.record._format import Format
from playhead.record._formats import FORMATS, detect_format, export_tapes, format_names, import_file
from playhead.record._import import ImportReport, prompt_of
from playhead.record._losses import Losses
from playhead.record._proxy import LLMProxy
from playhead.record._replay import LLMReplay
from playhead.record._sessions import Sessions
from playhead.record._stored import StoredStep, StoredTape
from playhead.record.wire import (
    ANTHROPIC_MESSAGES,
    OPENAI_CHAT,
    OPENAI_RESPONSES,
    WIRES,
    Reply,
    Wire,
)

__all__ = [
    "ANTHROPIC_MESSAGES",
    "FORMATS",
    "MAX_RECORD",
    "OPENAI_CHAT",
    "OPENAI_RESPONSES",
    "WIRES",
    "Answered",
    "Asked",
    "Exchange",
    "ForeignFile",
    "ForeignTape",
    "Format",
    "ImportReport",
    "Keys",
    "LLMProxy",
    "LLMReplay",
    "Losses",
    "Record",
    "Reply",
    "Sessions",
    "StoredStep",
    "StoredTape",
    "Wire",
    "detect_format",
    "export_tapes",
    "format_names",
    "import_file",
    "prompt_of",
    "tape_id",
]
