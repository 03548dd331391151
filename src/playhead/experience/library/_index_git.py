"""An index in a git repository, through the program `git`.

Nothing of a repository is ever checked out: its files are read out of git's own store, so that no
hook, filter, link or submodule of a stranger does anything on this machine.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from playhead.errors import LibraryError
from playhead.experience.library._archive import MAX_ARCHIVE, archive, read_archive
from playhead.experience.library._index import (
    FILE_NAME,
    INDEX,
    MAX_INDEX,
    PACKAGES,
    Entry,
    PackageIndex,
    entries_of,
    index_of,
    merged,
)
from playhead.experience.library._package import Package

_TRIES = 5  # somebody else may push at the same time
_TIMEOUT = 300.0  # seconds for one command
_ADDRESS = re.compile(r"(https://|ssh://|file://|[\w.-]+@[\w.-]+:|/|\.{0,2}/)[^\x00-\x20]*")
_SAFE = (
    "-c", "protocol.allow=never",
    "-c", "protocol.https.allow=always",
    "-c", "protocol.ssh.allow=always",
    "-c", "protocol.file.allow=always",
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "gc.auto=0",
)  # fmt: skip


class GitIndex(PackageIndex):
    """An index in a git repository.

    Args:
        address: `https://…`, `ssh://…`, `git@host:…`, or the path of a repository on this machine.
        branch: The branch; the repository's own default if not given.

    Raises:
        LibraryError: The address is none of these.
    """

    def __init__(self, address: str, *, branch: str | None = None) -> None:
        if not _ADDRESS.fullmatch(address):
            raise LibraryError(
                f"`{address[:200]}` is no address of a git repository: https://…, ssh://…, "
                "git@host:…, or a path"
            )
        if branch is not None and not re.fullmatch(r"[\w][\w./-]{0,200}", branch):
            raise LibraryError(f"`{branch[:200]}` is no name of a branch")
        self.address, self.branch = address, branch

    def entries(self) -> list[Entry]:
        """See `PackageIndex.entries`."""
        with self._cloned() as repository:
            return entries_of(repository.read(INDEX, MAX_INDEX), f"{self.address}:{INDEX}")

    def content(self, file: str) -> bytes:
        """See `PackageIndex.content`."""
        with self._cloned() as repository:
            return repository.read(f"{PACKAGES}/{file}", MAX_ARCHIVE)

    def publish(self, package: Package) -> str:
        """See `PackageIndex.publish`: a commit on the branch, pushed."""
        path = f"{PACKAGES}/{package.file_name}"
        for _ in range(_TRIES):
            with self._cloned() as repository:
                known = {
                    name: read_archive(repository.read(f"{PACKAGES}/{name}", MAX_ARCHIVE), name)
                    for name in repository.names(f"{PACKAGES}/")
                    if FILE_NAME.fullmatch(name)
                }
                earlier = known.get(package.file_name)
                whole = merged(package, earlier) if earlier else package
                known[package.file_name] = whole
                files = {path: archive(whole), INDEX: index_of(known.values())}
                manifest = package.manifest
                if repository.push(files, f"Publish {manifest.name} {manifest.version}"):
                    return f"{self.address}:{path}"
        raise LibraryError(f"`{self.address}` changed {_TRIES} times meanwhile: try again")

    @contextmanager
    def _cloned(self) -> Iterator[_Repository]:
        with tempfile.TemporaryDirectory(prefix="playhead-git-") as folder:
            branch = ["--branch", self.branch] if self.branch else []
            _git(
                ["clone", "--quiet", "--bare", "--depth=1", "--single-branch", "--no-tags",
                 "--template=", *branch, "--", self.address, folder]
            )  # fmt: skip
            yield _Repository(Path(folder))


class _Repository:
    """A bare clone: its files are read from git's store, and a commit is made without a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._branch = self._git("symbolic-ref", "HEAD").decode().strip()
        self._head = self._git("rev-parse", "--verify", "--quiet", "HEAD", fails=True).decode()
        self._files = dict(self._tree())

    def names(self, folder: str) -> list[str]:
        return [path.removeprefix(folder) for path in self._files if path.startswith(folder)]

    def read(self, path: str, limit: int) -> bytes:
        if path not in self._files:
            raise LibraryError(f"the repository has no file `{path}`: publish to it first")
        blob, size = self._files[path]
        if size > limit:
            raise LibraryError(f"`{path}` has {size:,} bytes, more than {limit:,}")
        return self._git("cat-file", "blob", blob)

    def push(self, files: Mapping[str, bytes], message: str) -> bool:
        """Commit files and push; False if somebody else pushed meanwhile."""
        if self._head:
            self._git("read-tree", self._head.strip())
        for path, content in files.items():
            blob = self._git("hash-object", "-w", "--stdin", content=content).decode().strip()
            self._git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
        tree = self._git("write-tree").decode().strip()
        if self._head and tree == self._git("rev-parse", "HEAD^{tree}").decode().strip():
            return True  # it is all there already
        parents = ["-p", self._head.strip()] if self._head else []
        commit = self._git("commit-tree", tree, *parents, "-m", message).decode().strip()
        pushed = self._git("push", "--porcelain", "origin", f"{commit}:{self._branch}", fails=None)
        return not _overtaken(pushed)

    def _tree(self) -> Iterator[tuple[str, tuple[str, int]]]:
        """Plain files: links and submodules are not there."""
        if not self._head:
            return
        for line in self._git("ls-tree", "-r", "-l", "-z", "HEAD").split(b"\0"):
            about, _, path = line.decode("utf-8", "surrogateescape").partition("\t")
            words = about.split()
            if len(words) == 4 and words[0] == "100644" and words[1] == "blob":
                yield path, (words[2], int(words[3]))

    def _git(self, *words: str, content: bytes | None = None, fails: bool | None = False) -> bytes:
        return _git(words, folder=self._folder, content=content, fails=fails)


def _git(
    words: Sequence[str],
    *,
    folder: Path | None = None,
    content: bytes | None = None,
    fails: bool | None = False,
) -> bytes:
    """What git prints. `fails`: True, it may fail; None, what a refused push prints is given."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_DIR")},
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_AUTHOR_NAME": os.environ.get("GIT_AUTHOR_NAME", "playhead"),
        "GIT_AUTHOR_EMAIL": os.environ.get("GIT_AUTHOR_EMAIL", "playhead@localhost"),
        "GIT_COMMITTER_NAME": os.environ.get("GIT_COMMITTER_NAME", "playhead"),
        "GIT_COMMITTER_EMAIL": os.environ.get("GIT_COMMITTER_EMAIL", "playhead@localhost"),
    }
    place = ["--git-dir", str(folder)] if folder else []
    try:
        done = subprocess.run(  # noqa: S603  (the addresses were looked at, and stand after `--`)
            ["git", *_SAFE, *place, *words],  # noqa: S607
            input=content if content is not None else b"",
            capture_output=True,
            timeout=_TIMEOUT,
            env=environment,
            check=False,
        )
    except FileNotFoundError:
        raise LibraryError(
            "the program `git` is not installed: install it, or use a folder"
        ) from None
    except subprocess.TimeoutExpired:
        raise LibraryError(f"git took more than {_TIMEOUT:g} s") from None
    if done.returncode and fails is False:
        raise LibraryError(f"git {words[0]} failed: {_told(done.stderr)}")
    if done.returncode and fails is None and not _overtaken(done.stdout):
        raise LibraryError(f"git {words[0]} failed: {_told(done.stderr)}")
    return done.stdout


def _overtaken(pushed: bytes) -> bool:
    """Whether a push was refused because somebody else's came first."""
    return any(word in pushed for word in (b"[rejected]", b"lock ref", b"failed to update ref"))


def _told(stderr: bytes) -> str:
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return "; ".join(lines[-3:])[:500] or "no reason was given"
