"""The SQLite file: schema, connections, and what its errors mean."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import quote

from playhead.errors import (
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    StoreVersionError,
    TapeNotFoundError,
)
from playhead.store._memo import WritingConnection

try:
    import resource
except ImportError:  # pragma: no cover  (Windows)
    resource = None  # type: ignore[assignment]

Durability: TypeAlias = Literal["full", "normal"]

APPLICATION_ID = 0x504C4159  # "PLAY"
SCHEMA_VERSION = 1  # of a new file
INDEXED_SCHEMA = 2  # with an index of words, which older code would not erase from
SEQ_BITS = 32
PAGE_SIZE = 8192
_SMALLEST = 512  # bytes of a SQLite file
_UNWRITABLE = frozenset(
    [errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EEXIST,
     errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG]
)  # fmt: skip

_NO_SYNC = frozenset([errno.EACCES, errno.EINVAL, errno.ENOTSUP, errno.EPERM])  # of folders

# A step's key is `tapes.key << 32 | seq`: one B-tree, in the order of each tape, without an index.
SCHEMA = """
CREATE TABLE tapes (
  key INTEGER PRIMARY KEY, tenant TEXT NOT NULL, id TEXT NOT NULL, parent INTEGER,
  start INTEGER NOT NULL, UNIQUE (tenant, id)
);
CREATE TABLE steps (at INTEGER PRIMARY KEY, header BLOB NOT NULL, salt BLOB, body BLOB);
CREATE TABLE literals (
  tape INTEGER NOT NULL, at INTEGER NOT NULL, seq INTEGER NOT NULL, item INTEGER NOT NULL,
  PRIMARY KEY (tape, at)
) WITHOUT ROWID;
CREATE TABLE checkpoints (
  tape INTEGER PRIMARY KEY, length INTEGER NOT NULL, head TEXT NOT NULL, state BLOB NOT NULL
);
CREATE TABLE blobs (
  tape INTEGER NOT NULL, address TEXT NOT NULL, media_type TEXT NOT NULL, content BLOB NOT NULL,
  UNIQUE (tape, address)
);
CREATE TABLE documents (
  tenant TEXT NOT NULL, digest TEXT NOT NULL, content BLOB NOT NULL, UNIQUE (tenant, digest)
);
CREATE TABLE leases (
  tenant TEXT NOT NULL, tape TEXT NOT NULL, epoch INTEGER NOT NULL, owner TEXT NOT NULL,
  expires REAL NOT NULL, PRIMARY KEY (tenant, tape)
) WITHOUT ROWID;
CREATE TABLE inbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, tape TEXT NOT NULL,
  time TEXT NOT NULL, content TEXT NOT NULL
);
CREATE INDEX inbox_of_tape ON inbox (tenant, tape);
"""


class NothingThereError(TapeNotFoundError):
    """What is looked for cannot be there: nothing was stored yet, or no name is written so."""


def connect_writer(path: Path, durability: Durability) -> WritingConnection:
    """Open for writing, creating the schema in a new file. The caller holds the file lock."""
    _refuse_remains(path)
    connection = sqlite3.connect(
        path,
        isolation_level=None,
        check_same_thread=False,
        timeout=30,
        factory=WritingConnection,
    )
    connection.hand = connection.cursor()
    try:
        new = not check_schema(connection, path)  # before anything in somebody's file is changed
        if new:
            connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(f"PRAGMA synchronous = {durability.upper()}")
        connection.execute("PRAGMA fullfsync = ON")  # macOS: through the disk's own cache, too
        connection.execute("PRAGMA secure_delete = ON")  # erased bodies are overwritten
        connection.execute("PRAGMA trusted_schema = OFF")
        if new:
            connection.execute("BEGIN IMMEDIATE")
            for statement in SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("COMMIT")
        connection.execute("PRAGMA busy_timeout = 0")  # who may wait, says so
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(path: Path) -> tuple[sqlite3.Connection, bool]:
    """Open for reading only; such a connection never checkpoints.

    Returns:
        The connection, and whether it must not be kept: it was opened in a folder where it could
        not see that somebody else begins to write.
    """
    _refuse_remains(path)
    if not path.exists() or path.stat().st_size == 0:
        raise NothingThereError(f"there is no store at `{path}` yet")
    try:
        return _connect_reader(path, ""), False
    except sqlite3.OperationalError as error:
        name = name_of(error)
        if name == "SQLITE_READONLY_ROLLBACK":  # the process that was making the file was killed
            raise NothingThereError(f"there is no store at `{path}` yet") from None
        # A WAL file needs a shared-memory file beside it, which a read-only folder refuses.
        if not name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY")) or size_of(wal_of(path)):
            raise
        return _connect_reader(path, "&immutable=1"), True


def _connect_reader(path: Path, option: str) -> sqlite3.Connection:
    uri = f"file:{quote(os.fsencode(path))}?mode=ro{option}"
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=30
    )
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        if not check_schema(connection, path):
            raise NothingThereError(f"there is no store at `{path}` yet")
    except BaseException:
        connection.close()
        raise
    return connection


def check_schema(connection: sqlite3.Connection, path: Path) -> bool:
    """Make sure that the file is a Playhead store that this code knows; False if it is empty.

    Raises:
        StoreCorruptError, StoreVersionError: It is not.
    """
    connection.execute("BEGIN")  # somebody may be making it: all of one moment
    try:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        kinds = {row[0] for row in connection.execute("SELECT type FROM sqlite_master")}
    finally:
        connection.execute("ROLLBACK")
    if application == version == 0 and not kinds:
        return False
    if application != APPLICATION_ID:
        raise StoreCorruptError(f"`{path}` is a SQLite file but no Playhead store", path=str(path))
    if version > INDEXED_SCHEMA:
        raise StoreVersionError(
            f"`{path}` has schema {version}, this Playhead knows up to {INDEXED_SCHEMA}: "
            "install a newer Playhead",
            path=str(path),
        )
    if kinds & {"trigger", "view"}:
        raise StoreCorruptError(
            f"`{path}` holds triggers or views, which no store has: do not trust it", path=str(path)
        )
    return True


def wal_of(path: Path) -> Path:
    """The log that SQLite keeps beside the file."""
    return path.with_name(path.name + "-wal")


def size_of(path: Path) -> int:
    """Bytes of a file; 0 if there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _refuse_remains(path: Path) -> None:
    """What SQLite would take for an empty file, and write over.

    It would also delete the log beside it, and with it the newest steps.
    """
    wal = wal_of(path)
    left = size_of(wal)  # first: who makes a store writes the file before its log
    size = size_of(path)
    if not size and left:
        raise StoreCorruptError(
            f"`{wal}` holds steps but `{path}` is empty or gone: put back the file that belongs "
            "to it, or move both away",
            path=str(path),
        )
    if 0 < size < _SMALLEST:
        raise StoreCorruptError(
            f"`{path}` has {size} bytes and is no store: move it away", path=str(path)
        )


def make_folder(folder: Path) -> None:
    """Make a folder that survives a power cut, with those above it."""
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for part in missing:
        sync_folder(part.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, where the system can: not every one syncs folders.

    Raises:
        OSError: The disk failed.
    """
    if os.name != "posix":
        return
    try:
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def name_of(error: Exception) -> str:
    """SQLite's name of an error; empty if it gave none."""
    return getattr(error, "sqlite_errorname", None) or ""


def translated(error: Exception, path: Path) -> StoreError:
    """Our error for one of SQLite's or of the operating system's."""
    if isinstance(error, StoreError):
        return type(error)(error.message, **error.data)  # one for each that waits
    number = error.errno if isinstance(error, OSError) else None
    name = name_of(error)
    if (
        number in (errno.ENOSPC, errno.EDQUOT)
        or name.startswith(("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"))
        or (name == "SQLITE_IOERR_WRITE" and _is_at_limit(path))
    ):
        return StoreFullError(
            f"no space left for `{path}`: nothing of this was stored; free some and resume",
            path=str(path),
        )
    if os.path.isdir(path):
        return StoreReadOnlyError(f"`{path}` is a folder: name a file in it", path=str(path))
    if number in _UNWRITABLE or name.startswith(
        ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")
    ):
        return StoreReadOnlyError(
            f"`{path}` cannot be opened or written ({error}): check the folder's permissions and "
            "the space left, or choose another place with --store",
            path=str(path),
        )
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return StoreCorruptError(
            f"`{path}` is damaged or no store ({error}): keep the file, restore a copy, or recover "
            "what is readable with `sqlite3 FILE .recover`",
            path=str(path),
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreError(
            f"another program keeps `{path}` locked: close it there, then try again", path=str(path)
        )
    return StoreError(f"`{path}`: {error!r} ({name or 'not SQLite'})", path=str(path))


def _is_at_limit(path: Path) -> bool:
    """Whether the process may not make its files any larger (`ulimit -f`)."""
    if resource is None:  # pragma: no cover  (Windows)
        return False
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    files = (path, wal_of(path))
    return limit != resource.RLIM_INFINITY and any(
        size_of(file) + 2 * PAGE_SIZE > limit for file in files
    )
