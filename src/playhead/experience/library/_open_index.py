"""Which kind of index an address means."""

from __future__ import annotations

from pathlib import Path

from playhead.experience.library._index import FolderIndex, PackageIndex
from playhead.experience.library._index_git import GitIndex
from playhead.experience.library._index_http import HttpIndex


def open_index(address: str | Path, *, branch: str | None = None) -> PackageIndex:
    """The index at an address.

    Args:
        address: A folder; `git+ADDRESS`, `git@…`, `ssh://…` or what ends with `.git` for a git
            repository; `https://…` for a static index.
        branch: Of a git repository.

    Raises:
        LibraryError: It is an address of none of these.
    """
    text = str(address)
    if text.startswith("git+"):
        return GitIndex(text.removeprefix("git+"), branch=branch)
    if text.startswith(("git@", "ssh://")) or text.rstrip("/").endswith(".git"):
        return GitIndex(text, branch=branch)
    if "://" in text:
        return HttpIndex(text)
    return FolderIndex(Path(text).expanduser())
