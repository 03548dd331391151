"""Layer 2: where tapes live."""

from playhead.store._erasure import erase_steps
from playhead.store._export import export_tape
from playhead.store._filelock import FileLock
from playhead.store._health import Health
from playhead.store._import import Imported, import_tape
from playhead.store._memory import MemoryStore
from playhead.store._protocol import Answer, Batch, Blob, InboxMessage, Lease, Store, TapeInfo
from playhead.store._search import Search, SearchHit
from playhead.store._sqlite import SqliteStore
from playhead.store._sqlite_file import Durability
from playhead.store._text import step_text

__all__ = [
    "Answer",
    "Batch",
    "Blob",
    "Durability",
    "FileLock",
    "Health",
    "Imported",
    "InboxMessage",
    "Lease",
    "MemoryStore",
    "Search",
    "SearchHit",
    "SqliteStore",
    "Store",
    "TapeInfo",
    "erase_steps",
    "export_tape",
    "import_tape",
    "step_text",
]
