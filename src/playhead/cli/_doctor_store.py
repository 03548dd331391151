"""The place of a store, and what is in it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from playhead.cli._doctor_checks import Check
from playhead.cli._text import plural, size
from playhead.errors import PlayheadError, TapeNotFoundError
from playhead.store import Health, SqliteStore

_LITTLE = 1_000_000_000  # bytes of free space
_LONG_LOG = 64_000_000  # bytes
_LOCAL = "put the store on a local disk: --store PATH or PLAYHEAD_STORE"


def store_checks(path: Path) -> Iterator[Check]:
    """Look at the store's place, then at the store."""
    try:
        store = SqliteStore(path)
    except PlayheadError as error:
        yield Check("store", error.message, "fault", _LOCAL)
        return
    yield from _place(store.path)
    try:
        health = asyncio.run(_health(store))
    except TapeNotFoundError:
        yield Check("store", f"{store.path}: nothing is stored there yet")
        return
    except PlayheadError as error:
        yield Check("store", error.message, "fault", "keep the file; `playhead verify --all`")
        return
    yield from _file(store.path, health)
    yield from _contents(health)


async def _health(store: SqliteStore) -> Health:
    async with store:
        return await store.health()


def _place(path: Path) -> Iterator[Check]:
    folder = next(parent for parent in path.parents if parent.exists())
    free = shutil.disk_usage(folder).free
    yield Check(
        "disk",
        f"{size(free)} free at {folder} ({file_system(folder)})",
        "ok" if free >= _LITTLE else "fault",
        "" if free >= _LITTLE else "free some space: a full disk ends every session",
    )
    target = path if path.exists() else folder
    if not (os.access(target, os.W_OK) and os.access(folder, os.W_OK)):
        yield Check("store", f"{target} cannot be written", "fault", "check its permissions")


def file_system(folder: Path) -> str:
    """The type of the file system, where the kernel says it."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(errors="replace").splitlines()
    except OSError:
        return "type not known"
    best, kind = "", "type not known"
    for line in mounts:
        left, _, right = line.partition(" - ")
        point = left.split()[4]
        inside = str(folder) == point or str(folder).startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, right.split()[0]
    return kind


def _file(path: Path, health: Health) -> Iterator[Check]:
    log = path.with_name(path.name + "-wal")
    length = log.stat().st_size if log.exists() else 0
    about = f"{path}: {size(path.stat().st_size)}, schema {health.schema}"
    yield Check("store", f"{about}, full durability unless a session says normal")
    if length > _LONG_LOG:
        yield Check(
            "log", f"{size(length)}", "note", "a reader keeps it from being folded: see who reads"
        )
    if health.faults:
        for fault in health.faults:
            yield Check("integrity", fault, "fault", "keep the file, restore a copy")
    else:
        yield Check("integrity", "SQLite finds no fault; `playhead verify --all` checks the chains")


def _contents(health: Health) -> Iterator[Check]:
    shared = f", {health.shared} removed ones that children share steps with"
    index = "with" if health.indexed else "without"
    tapes, blobs = plural(health.tapes, "tape"), plural(health.blobs, "blob")
    said = f"{tapes}{shared if health.shared else ''}, {blobs}, {index} an index of words"
    yield Check("contents", said)
    if health.orphans:
        yield Check(
            "orphans", f"{health.orphans} blobs or steps of no tape", "fault", "restore a copy"
        )
    yield Check("sessions", f"owned by live sessions: {plural(health.leases, 'tape')}")
    if health.stale:
        yield Check(
            "sessions",
            f"{health.stale} tapes whose owner ended without a word",
            "note",
            "`playhead ls` shows them as unfinished; `playhead resume` goes on",
        )
    if health.inbox:
        yield Check(
            "inbox",
            f"{health.inbox} messages wait for their tape's owner",
            "note",
            "`playhead resume` takes them in",
        )
