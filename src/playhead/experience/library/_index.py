"""Where packages are published: a folder, and what all such places have in common.

    FOLDER/index.json                              what there is, made anew at each publishing
    FOLDER/packages/NAME-VERSION-DIGEST.experience one file a package

A folder that is served by any web server is an index over HTTP; in a git repository it is one, too.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from playhead.errors import JsonError, LibraryError, PackageError
from playhead.experience.library._archive import (
    MAX_ARCHIVE,
    SUFFIX,
    archive,
    read_archive,
    read_package,
    write_whole,
)
from playhead.experience.library._manifest import Digest, Name
from playhead.experience.library._package import Package
from playhead.store import FileLock
from playhead.tape import canonical, loads_strict

INDEX, PACKAGES = "index.json", "packages"
MAX_INDEX = 4_000_000  # bytes
FILE_NAME = re.compile(rf"[a-z0-9-]{{1,100}}-[0-9]{{1,10}}-[0-9a-f]{{16}}\{SUFFIX}")


class Entry(BaseModel):
    """A package of an index.

    Args:
        name: Of the experience.
        version: Of the experience.
        digest: The package's address: what is fetched must have it.
        experience: The experience's digest.
        title: One line.
        author: In their own words.
        tools: The tools that it calls.
        keys: Short names of the keys that signed it.
        file: Name of the file among the packages.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    name: Name
    version: int
    digest: Digest
    experience: Digest
    title: Annotated[str, Field(max_length=500)] = ""
    author: Annotated[str, Field(max_length=200)] | None = None
    tools: Annotated[list[str], Field(max_length=200)] = []
    keys: Annotated[list[str], Field(max_length=50)] = []
    file: Annotated[str, Field(max_length=200)]


class PackageIndex(ABC):
    """A place with packages."""

    @abstractmethod
    def entries(self) -> list[Entry]:
        """What there is.

        Raises:
            LibraryError: The place cannot be read.
        """

    @abstractmethod
    def content(self, file: str) -> bytes:
        """The bytes of a package's file; what is wrong with them, nobody has looked at yet.

        Raises:
            LibraryError: It cannot be read.
        """

    @abstractmethod
    def publish(self, package: Package) -> str:
        """Put a package there; a second time changes nothing. Says where it is.

        Raises:
            LibraryError: The place cannot be written.
        """

    def fetch(self, wanted: Entry) -> Package:
        """The package of an entry, checked to be the one that was meant.

        Raises:
            LibraryError: It cannot be read.
            PackageError: It is another, or was changed.
        """
        if not FILE_NAME.fullmatch(wanted.file):
            raise PackageError(f"`{wanted.file[:120]}` is no name of a package's file")
        package = read_archive(self.content(wanted.file), wanted.file)
        if package.digest != wanted.digest:
            raise PackageError(
                f"`{wanted.file}` is the package {package.digest}, not {wanted.digest} as the "
                "index says: it was exchanged"
            )
        return package


class FolderIndex(PackageIndex):
    """An index in a folder.

    Args:
        folder: Where; made when something is published.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def entries(self) -> list[Entry]:
        """See `PackageIndex.entries`."""
        path = self.folder / INDEX
        try:
            with path.open("rb") as file:
                return entries_of(file.read(MAX_INDEX + 1), str(path))
        except OSError as error:
            raise LibraryError(
                f"`{self.folder}` is no index of packages: {error.strerror}; publish to it first"
            ) from None

    def content(self, file: str) -> bytes:
        """See `PackageIndex.content`."""
        path = self.folder / PACKAGES / file
        try:
            if path.is_symlink():
                raise LibraryError(f"`{path}` is a link: an index holds the packages themselves")
            with path.open("rb") as opened:
                return opened.read(MAX_ARCHIVE + 1)
        except OSError as error:
            raise LibraryError(f"`{path}` cannot be read: {error.strerror}") from None

    def publish(self, package: Package) -> str:
        """See `PackageIndex.publish`. Several processes may publish at the same time."""
        path = self.folder / PACKAGES / package.file_name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / ".lock")
            try:
                with lock:
                    write_whole(path, archive(_with_earlier_signatures(package, path)))
                    write_whole(self.folder / INDEX, index_of(self._packages()))
            finally:
                lock.close()
        except OSError as error:
            raise LibraryError(f"`{self.folder}` cannot be written: {error.strerror}") from None
        return str(path)

    def _packages(self) -> Iterable[Package]:
        for path in sorted((self.folder / PACKAGES).glob(f"*{SUFFIX}")):
            if FILE_NAME.fullmatch(path.name):
                yield read_package(path)


def _with_earlier_signatures(package: Package, path: Path) -> Package:
    return merged(package, read_package(path)) if path.exists() else package


def merged(package: Package, earlier: Package) -> Package:
    """The package with the signatures of both: the same content, vouched for by more.

    Raises:
        PackageError: They are two packages.
    """
    if earlier.digest != package.digest:
        raise PackageError(f"{earlier.digest} is another package than {package.digest}")
    by_key = {each.key: each for each in (*earlier.signatures, *package.signatures)}
    every = tuple(sorted(by_key.values(), key=lambda each: each.fingerprint))
    return Package(package.manifest, package.files, every)


def index_of(packages: Iterable[Package]) -> bytes:
    """The bytes of the index of some packages."""
    entries = [entry_of(package).model_dump(mode="json") for package in packages]
    entries.sort(key=lambda entry: (entry["name"], entry["version"], entry["digest"]))
    return canonical({"index": 1, "packages": entries})


def entry_of(package: Package) -> Entry:
    """What an index says of a package."""
    manifest = package.manifest
    return Entry(
        name=manifest.name,
        version=manifest.version,
        digest=package.digest,
        experience=manifest.experience,
        title=manifest.title,
        author=manifest.author,
        tools=sorted(manifest.capabilities.tools),
        keys=[each.fingerprint for each in package.signatures],
        file=package.file_name,
    )


def entries_of(content: bytes, name: str) -> list[Entry]:
    """What the bytes of an index say.

    Raises:
        LibraryError: They are no index.
    """
    if len(content) > MAX_INDEX:
        raise LibraryError(f"`{name}` has more than {MAX_INDEX:,} bytes: this is no index")
    try:
        value = loads_strict(content)
        if not isinstance(value, Mapping) or value.get("index") != 1:
            raise LibraryError(f"`{name}` is no index of packages of version 1")
        listed = value.get("packages")
        return [Entry.model_validate(each) for each in listed] if isinstance(listed, list) else []
    except (JsonError, ValidationError) as error:
        reason = str(error).partition("\n")[0]
        raise LibraryError(f"`{name}` is no index of packages: {reason}") from None


def wanted_of(entries: Iterable[Entry], wanted: str) -> Entry:
    """The entry that a person means: `NAME` (its newest version), `NAME@VERSION`, or a digest.

    Raises:
        LibraryError: There is none, or two people published different ones.
    """
    known = list(entries)
    name, _, version = wanted.partition("@")
    digest = wanted.removeprefix("sha256:")
    found = [
        each
        for each in known
        if (each.name == name and version in ("", str(each.version)))
        or (len(digest) >= 8 and each.digest.removeprefix("sha256:").startswith(digest))
    ]
    newest = max((each.version for each in found), default=0)
    found = [each for each in found if each.version == newest]
    if not found:
        names = ", ".join(sorted({f"`{each.name}`" for each in known})[:20]) or "nothing"
        raise LibraryError(f"the index has no package `{wanted}`; it has {names}")
    if len(found) > 1:
        digests = ", ".join(each.digest.removeprefix("sha256:")[:12] for each in found)
        raise LibraryError(f"several packages are `{wanted}`: name one by its digest: {digests}")
    return found[0]
