"""The file of a library: SQLite, every change one durable transaction, for several processes.

A change is rare and small, so the rollback journal is used rather than the log of the store of
tapes: nothing has to be checkpointed, and the file is whole after a kill at any moment.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from playhead.errors import LibraryError
from playhead.store import FileLock

_APPLICATION = 0x50484C42  # PHLB
_VERSION = 1
_PATIENCE = 30.0  # seconds that another process may hold the file
_SCHEMA = """
CREATE TABLE experience (
  digest TEXT PRIMARY KEY, name TEXT NOT NULL, version INTEGER NOT NULL, document BLOB NOT NULL,
  likeness TEXT NOT NULL, origin TEXT NOT NULL, author TEXT, added TEXT NOT NULL,
  state TEXT NOT NULL, reason TEXT NOT NULL, since TEXT NOT NULL, expires TEXT,
  verified_right INTEGER NOT NULL DEFAULT 0, verified_wrong INTEGER NOT NULL DEFAULT 0,
  verified_refused INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX experience_name ON experience (name, version);
CREATE TABLE parent (child TEXT NOT NULL, parent TEXT NOT NULL, PRIMARY KEY (child, parent))
  WITHOUT ROWID;
CREATE TABLE history (
  number INTEGER PRIMARY KEY, experience TEXT NOT NULL, time TEXT NOT NULL, state TEXT NOT NULL,
  reason TEXT NOT NULL
);
CREATE TABLE package (
  digest TEXT PRIMARY KEY, experience TEXT NOT NULL, archive BLOB NOT NULL, source TEXT NOT NULL,
  installed TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE signer (public TEXT PRIMARY KEY, name TEXT NOT NULL, added TEXT NOT NULL)
  WITHOUT ROWID;
CREATE TABLE rating (
  experience TEXT NOT NULL, by TEXT NOT NULL, stars INTEGER, audited INTEGER NOT NULL,
  note TEXT NOT NULL, time TEXT NOT NULL, PRIMARY KEY (experience, by)
) WITHOUT ROWID;
CREATE TABLE play (
  tape TEXT NOT NULL, experience TEXT NOT NULL, tools TEXT NOT NULL, time TEXT NOT NULL,
  task TEXT NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL, model_calls INTEGER NOT NULL,
  tokens INTEGER NOT NULL, usd REAL, seconds REAL NOT NULL, wrong_writes REAL,
  PRIMARY KEY (tape, experience)
) WITHOUT ROWID;
CREATE TABLE trial (
  tape TEXT NOT NULL, experience TEXT NOT NULL, level TEXT NOT NULL, tools TEXT NOT NULL,
  solved INTEGER NOT NULL, PRIMARY KEY (tape, experience, level)
) WITHOUT ROWID;
CREATE INDEX play_of_experience ON play (experience, outcome);
CREATE TABLE baseline (
  experience TEXT PRIMARY KEY, sessions INTEGER NOT NULL, model_calls REAL NOT NULL,
  tokens REAL NOT NULL, usd REAL, seconds REAL NOT NULL, wrong_writes REAL, source TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE guard (
  number INTEGER PRIMARY KEY, experience TEXT, text TEXT NOT NULL, reason TEXT NOT NULL,
  tape TEXT, time TEXT NOT NULL
);
"""


class LibraryFile:
    """The connection of one process to a library's file.

    Args:
        path: The file; made if it is not there.

    Raises:
        LibraryError: It cannot be opened, is no library, or is of a newer Playhead.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._depth = 0
        self._turn: FileLock | None = None
        with self.faults():
            path.parent.mkdir(parents=True, exist_ok=True)
            if str(path) != ":memory:":
                self._turn = FileLock(path.with_name(f"{path.name}.lock"))
            self._db = sqlite3.connect(
                path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
            )
            try:
                self._opened()
            except BaseException:
                self.close()
                raise

    def all(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows that a question gives."""
        with self._lock, self.faults():
            return self._db.execute(query, values).fetchall()

    def one(self, query: str, values: Sequence[object] = ()) -> tuple[Any, ...] | None:
        """The first row that a question gives."""
        rows = self.all(query, values)
        return rows[0] if rows else None

    def write(self, query: str, values: Sequence[object] = ()) -> int:
        """Change something, durably; how many rows were changed."""
        with self.transaction():
            return self._db.execute(query, values).rowcount

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes within are made, or none; other processes wait meanwhile."""
        with self._lock, self.faults():
            if self._depth:
                yield  # the outermost one makes all changes, or none
                return
            with self._turn or contextlib.nullcontext():  # SQLite's own waiting starves others
                self._db.execute("BEGIN IMMEDIATE")
                self._depth += 1
                try:
                    yield
                    self._db.execute("COMMIT")
                except BaseException:
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
                    raise
                finally:
                    self._depth -= 1

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()
            if self._turn is not None:
                self._turn.close()
                self._turn = None

    def _opened(self) -> None:
        self._db.execute("PRAGMA trusted_schema = OFF")
        self._db.execute("PRAGMA journal_mode = DELETE")
        self._db.execute("PRAGMA synchronous = EXTRA")
        self._db.execute("PRAGMA fullfsync = ON")
        if self._db.execute("PRAGMA application_id").fetchone()[0] == 0:
            with self.transaction():
                if not self._db.execute("SELECT 1 FROM sqlite_schema").fetchone():
                    self._made()
        application = self._db.execute("PRAGMA application_id").fetchone()[0]
        if application != _APPLICATION:
            raise LibraryError(f"`{self.path}` is no library of experiences: name another file")
        if self._db.execute("PRAGMA user_version").fetchone()[0] > _VERSION:
            raise LibraryError(f"`{self.path}` was written by a newer Playhead: install it")

    def _made(self) -> None:
        for statement in _SCHEMA.split(";"):
            self._db.execute(statement)
        self._db.execute(f"PRAGMA application_id = {_APPLICATION}")
        self._db.execute(f"PRAGMA user_version = {_VERSION}")
        with contextlib.suppress(OSError):
            os.chmod(self.path, 0o600)  # task texts may say things about people

    @contextlib.contextmanager
    def faults(self) -> Iterator[None]:
        """Tell what SQLite or the system finds wrong as `LibraryError`."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise LibraryError(
                f"the library `{self.path}` cannot be used: {type(error).__name__}: {error}"
            ) from None
