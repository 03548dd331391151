"""Packages as one file or as a folder: read with limits, from bytes alone, and written alike.

An archive is never unpacked: what it holds is read into memory, path by path, and only paths that
a package may have. So links, absolute paths and `..` lead nowhere, and a bomb ends at its limit.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from playhead.errors import PackageError
from playhead.experience.library._package import (
    EXPERIENCE,
    MANIFEST,
    MAX_BYTES,
    MAX_FILES,
    README,
    SIGNATURES,
    Package,
    check,
)

MAX_ARCHIVE = 8_000_000  # bytes of the one file
SUFFIX = ".experience"
_SIGNATURE = re.compile(rf"{SIGNATURES}[0-9a-f]{{16}}\.json")
_EPOCH = (1980, 1, 1, 0, 0, 0)


def read_package(path: str | Path) -> Package:
    """The package of a file or a folder.

    Raises:
        PackageError: It is no package, was changed, is too large or holds what none may hold.
    """
    place = Path(path)
    if place.is_dir():
        return check(_folder(place))
    return read_archive(_bytes(place, MAX_ARCHIVE), str(place))


def read_archive(content: bytes, name: str = "the package") -> Package:
    """The package of the bytes of its one file.

    Args:
        content: The bytes.
        name: What it is called in messages.

    Raises:
        PackageError: See `read_package`.
    """
    if len(content) > MAX_ARCHIVE:
        raise PackageError(f"`{name}` has more than {MAX_ARCHIVE:,} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return check(_unzipped(archive))
    except PackageError:
        raise
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError,
            ValueError, OverflowError, OSError, zlib.error) as error:  # fmt: skip
        raise PackageError(f"`{name}` is no package: {type(error).__name__}: {error}") from None


def archive(package: Package) -> bytes:
    """The bytes of a package's one file; the same package gives the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as written:
        for path, data in sorted(package.content().items()):
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            entry.create_system = 3
            written.writestr(entry, data)
    return out.getvalue()


def write_package(package: Package, path: str | Path) -> Path:
    """Write a package as one file, or as a folder if the path ends with a slash or is a folder.

    Raises:
        PackageError: It cannot be written.
    """
    place = Path(path)
    try:
        if str(path).endswith(("/", os.sep)) or place.is_dir():
            return _write_folder(package, place)
        write_whole(place, archive(package))
    except OSError as error:
        raise PackageError(f"`{place}` cannot be written: {error.strerror or error}") from None
    return place


def write_whole(place: Path, content: bytes) -> None:
    """Write a file so that others see all of it or nothing, also if the process is killed."""
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=place.parent, prefix=".writing-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, place)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _write_folder(package: Package, place: Path) -> Path:
    if place.exists() and any(place.iterdir()):
        raise PackageError(f"`{place}` is not empty: a package is a folder of its own")
    for path, data in package.content().items():
        write_whole(place / path, data)
    return place


def _unzipped(archive: zipfile.ZipFile) -> dict[str, bytes]:
    entries = archive.infolist()
    if len(entries) > MAX_FILES:
        raise PackageError(f"it holds {len(entries):,} files, more than {MAX_FILES}")
    found: dict[str, bytes] = {}
    left = MAX_BYTES
    for entry in entries:
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            raise PackageError(f"`{_shown(entry.filename)}` is a link or something else: no file")
        if entry.flag_bits & 1:
            raise PackageError(f"`{_shown(entry.filename)}` is encrypted")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise PackageError(f"`{_shown(entry.filename)}` is compressed in a way not read here")
        _allowed(entry.filename)
        if entry.filename in found:
            raise PackageError(f"`{entry.filename}` stands there twice")
        with archive.open(entry) as file:
            data = _limited(file.read, left)  # what the header says of its size proves nothing
        left -= len(data)
        found[entry.filename] = data
    return found


def _folder(place: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    left = MAX_BYTES
    for path in _paths(place):
        _allowed(path)
        data = _bytes(place / path, left)
        left -= len(data)
        found[path] = data
    return found


def _paths(place: Path) -> Iterator[str]:
    """The files of a package's folder, two levels at most, links refused."""
    count = 0
    for inside in ("", SIGNATURES):
        folder = place / inside
        if inside and not folder.exists() and not folder.is_symlink():
            continue
        if folder.is_symlink() and inside:
            raise PackageError(f"`{inside}` is a link: no package has one")
        with os.scandir(folder) as entries:
            for entry in entries:
                count += 1
                if count > MAX_FILES:
                    raise PackageError(f"it holds more than {MAX_FILES} files")
                if inside or f"{entry.name}/" != SIGNATURES:
                    yield f"{inside}{entry.name}"


def _bytes(path: Path, limit: int) -> bytes:
    """The content of a plain file; a link, a pipe or a device is refused, not read."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    flags |= getattr(os, "O_BINARY", 0)
    try:
        if path.is_symlink():
            raise PackageError(f"`{path}` is a link: name the package itself")
        descriptor = os.open(path, flags)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise PackageError(f"`{path}` is no file")
            return _limited(file.read, limit)
    except OSError as error:
        raise PackageError(f"`{path}` cannot be read: {error.strerror or error}") from None


def _limited(read: Callable[[int], bytes], limit: int) -> bytes:
    data = read(limit + 1)
    if len(data) > limit:
        raise PackageError("it is too large for a package: unpacked, it has more than it may")
    return data


def _allowed(path: str) -> None:
    if path not in (MANIFEST, EXPERIENCE, README) and not _SIGNATURE.fullmatch(path):
        raise PackageError(f"`{_shown(path)}` is no file of a package: nothing was read from it")


def _shown(path: str) -> str:
    return path[:120].encode("unicode_escape").decode()
