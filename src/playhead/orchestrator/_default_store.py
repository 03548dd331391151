"""The store that is used where none is given."""

from __future__ import annotations

import atexit
import os
from pathlib import Path

from playhead.store import SqliteStore

DEFAULT_PATH = ".playhead/tapes.db"
_stores: dict[str, SqliteStore] = {}


def default_store() -> SqliteStore:
    """The store at `PLAYHEAD_STORE`, or at `.playhead/tapes.db` in the working folder."""
    path = str(Path(os.environ.get("PLAYHEAD_STORE", DEFAULT_PATH)).absolute())
    if path not in _stores:
        store = _stores[path] = SqliteStore(path)
        atexit.register(store.close_now)
    return _stores[path]
