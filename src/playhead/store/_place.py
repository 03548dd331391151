"""Where a store's file is, and whether SQLite's locks hold there."""

from __future__ import annotations

import os
import re
from pathlib import Path

from playhead.errors import StoreError

_NETWORK = frozenset(
    ["nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ncpfs", "lustre",
     "fuse.sshfs", "fuse.glusterfs"]
)  # fmt: skip
_OCTAL = re.compile(r"\\([0-7]{3})")


def resolved(path: str | os.PathLike[str]) -> Path:
    """The file itself: two names of one file would mean two lock files.

    Raises:
        StoreError: It is no path, or on a network file system.
    """
    try:
        place = Path(os.path.realpath(path))
    except (TypeError, ValueError, OSError) as error:
        raise StoreError(f"`{path!r}` is no path of a store: {error}") from None
    _refuse_network_file_system(place)
    return place


def identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of a file; None if there is none."""
    try:
        found = os.stat(path)  # quicker than the path's own, and asked at every commit
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _refuse_network_file_system(path: Path) -> None:
    """SQLite's locks cannot be trusted there."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return
    best, kind = "", ""
    for line in mounts:
        left, _, right = line.partition(" - ")
        point = _OCTAL.sub(lambda found: chr(int(found[1], 8)), left.split()[4])
        inside = str(path) == point or str(path).startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, right.split()[0]
    if kind in _NETWORK:
        raise StoreError(f"`{path}` is on a network file system ({kind}): put it on a local disk")
