"""The SQLite file: schema, connections, and what its errors mean."""

from __future__ import annotations

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
)

Durability: TypeAlias = Literal["full", "normal"]

APPLICATION_ID = 0x504C4159  # "PLAY"
SCHEMA_VERSION = 1
SEQ_BITS = 32

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

_NETWORK = set(["nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ncpfs", "lustre", "fuse.sshfs", "fuse.glusterfs"])


def connect_writer(path: Path, durability: Durability) -> sqlite3.Connection:
    """Open for writing, creating the schema in a new file. The caller holds the file lock."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    try:
        if connection.execute("PRAGMA application_id").fetchone()[0] == 0:
            _refuse_foreign(connection, path)
            connection.execute("PRAGMA page_size = 8192")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(f"PRAGMA synchronous = {durability.upper()}")
        connection.execute("PRAGMA secure_delete = ON")  # erased bodies are overwritten
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA application_id").fetchone()[0] == 0:
            for statement in SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        check_schema(connection, path)
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open for reading only; such a connection never checkpoints."""
    uri = f"file:{quote(str(path))}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        try:
            check_schema(connection, path)
        except sqlite3.OperationalError:
            # A WAL file needs a shared-memory file beside it, which a read-only folder refuses.
            wal = path.with_name(path.name + "-wal")
            if wal.exists() and wal.stat().st_size:
                raise
            connection.close()
            connection = sqlite3.connect(
                f"{uri}&immutable=1", uri=True, isolation_level=None, check_same_thread=False
            )
            check_schema(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Make sure that the file is a Playhead store of a version that this code knows."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        raise StoreCorruptError(f"`{path}` is a SQLite file but no Playhead store", path=str(path))
    if version > SCHEMA_VERSION:
        raise StoreVersionError(
            f"`{path}` has schema {version}, this Playhead knows up to {SCHEMA_VERSION}: "
            "install a newer Playhead",
            path=str(path),
        )


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise StoreCorruptError(f"`{path}` is a SQLite file but no Playhead store", path=str(path))


def refuse_network_file_system(path: Path) -> None:
    """SQLite's locks cannot be trusted there."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return
    best, kind = "", ""
    for line in mounts:
        left, _, right = line.partition(" - ")
        point = left.split()[4].replace("\\040", " ")
        inside = str(path) == point or str(path).startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, right.split()[0]
    if kind in _NETWORK:
        raise StoreError(f"`{path}` is on a network file system ({kind}): put it on a local disk")


def translated(error: sqlite3.Error, path: Path) -> StoreError:
    """Our error for one of SQLite's."""
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith("SQLITE_FULL"):
        return StoreFullError(
            f"no space left for `{path}`: nothing of this was stored; free some and resume",
            path=str(path),
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return StoreReadOnlyError(
            f"`{path}` cannot be opened for writing: check the folder's permissions, or choose "
            "another place with --store",
            path=str(path),
        )
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return StoreCorruptError(
            f"`{path}` is damaged or no store ({error}): keep the file, restore a copy, or recover "
            "what is readable with `sqlite3 FILE .recover`",
            path=str(path),
        )
    return StoreError(f"`{path}`: {error} ({name or 'SQLite'})", path=str(path))
