"""Layer 1: steps, kinds, tapes and views. Pure: no I/O."""

from playhead.tape import annotations, kinds  # noqa: F401  (known from the start)
from playhead.tape._body import (
    Action,
    Body,
    Note,
    Observation,
    Opaque,
    StepRole,
    Thought,
    changed,
    known_kinds,
    unchecked,
    upgrade,
)
from playhead.tape._by import SYSTEM, By, maker
from playhead.tape._difference import Difference, first_difference
from playhead.tape._file import FileItem, blob_line, document_line, read_tape, scan_tape, write_tape
from playhead.tape._fold import Fold, Frame, OpenAction, Status, Totals, literal_key
from playhead.tape._history import History, HistoryRange, history_messages
from playhead.tape._ids import format_time, new_id, utc_now
from playhead.tape._json import Json, canonical, compact, digest, digest_of, loads_strict
from playhead.tape._log import Loader, Log
from playhead.tape._message_of import message_of
from playhead.tape._parts import (
    BLOB_LIMIT,
    BlobPart,
    Message,
    OtherPart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
    assistant,
    blob_address,
    parts_text,
    result_text,
    system,
    text_part,
    text_parts,
    user,
)
from playhead.tape._step import Draft, Step
from playhead.tape._step_text import call_text, said_text, step_text
from playhead.tape._tape import Tape
from playhead.tape._view import View
from playhead.tape._visible import clean, one_line

__all__ = [
    "BLOB_LIMIT",
    "SYSTEM",
    "Action",
    "BlobPart",
    "Body",
    "By",
    "Difference",
    "Draft",
    "FileItem",
    "Fold",
    "Frame",
    "History",
    "HistoryRange",
    "Json",
    "Loader",
    "Log",
    "Message",
    "Note",
    "Observation",
    "Opaque",
    "OpenAction",
    "OtherPart",
    "Part",
    "ReasoningPart",
    "Status",
    "Step",
    "StepRole",
    "Tape",
    "TextPart",
    "Thought",
    "ToolCallPart",
    "ToolResponsePart",
    "Totals",
    "View",
    "assistant",
    "blob_address",
    "blob_line",
    "call_text",
    "canonical",
    "changed",
    "clean",
    "compact",
    "digest",
    "digest_of",
    "document_line",
    "first_difference",
    "format_time",
    "history_messages",
    "known_kinds",
    "literal_key",
    "loads_strict",
    "maker",
    "message_of",
    "new_id",
    "one_line",
    "parts_text",
    "read_tape",
    "result_text",
    "said_text",
    "scan_tape",
    "step_text",
    "system",
    "text_part",
    "text_parts",
    "unchecked",
    "upgrade",
    "user",
    "utc_now",
    "write_tape",
]
