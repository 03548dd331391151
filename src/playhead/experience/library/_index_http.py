"""A static index over HTTP: any web server that serves the folder of an index."""

from __future__ import annotations

import urllib.error
import urllib.request
from http.client import HTTPException
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

from playhead.errors import LibraryError
from playhead.experience.library._archive import MAX_ARCHIVE
from playhead.experience.library._index import (
    INDEX,
    MAX_INDEX,
    PACKAGES,
    Entry,
    PackageIndex,
    entries_of,
)
from playhead.experience.library._package import Package

_TIMEOUT = 30.0
_HERE = frozenset(["localhost", "127.0.0.1", "::1"])


class HttpIndex(PackageIndex):
    """An index that is read over HTTP.

    Args:
        address: URL of the folder, or of its `index.json`; `https`, or `http` on this machine.

    Raises:
        LibraryError: It is no such URL.
    """

    def __init__(self, address: str) -> None:
        _allowed(address)
        self.address = address.removesuffix(INDEX).rstrip("/") + "/"

    def entries(self) -> list[Entry]:
        """See `PackageIndex.entries`."""
        where = urljoin(self.address, INDEX)
        return entries_of(_get(where, MAX_INDEX), where)

    def content(self, file: str) -> bytes:
        """See `PackageIndex.content`."""
        return _get(urljoin(self.address, f"{PACKAGES}/{file}"), MAX_ARCHIVE)

    def publish(self, package: Package) -> str:
        """Refused: a static index is a folder that somebody serves."""
        raise LibraryError(
            f"`{self.address}` can only be read: publish {package.file_name} to the folder that is "
            "served there"
        )


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects to where a package may be fetched from, and nowhere else."""

    max_redirections = 5

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Any,  # noqa: ANN401
        newurl: str,
    ) -> urllib.request.Request | None:
        _allowed(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _allowed(address: str) -> None:
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        host = None
    if host and (parts.scheme == "https" or (parts.scheme == "http" and host in _HERE)):
        return
    raise LibraryError(
        f"`{address[:200]}` is not read: an index is `https://…`, or `http://` on this machine"
    )


def _get(address: str, limit: int) -> bytes:
    opener = urllib.request.build_opener(_Redirects)
    opener.addheaders = [("User-Agent", "playhead")]
    try:
        with opener.open(address, timeout=_TIMEOUT) as answer:
            content: bytes = answer.read(limit + 1)
    except urllib.error.HTTPError as error:
        error.close()
        raise LibraryError(f"`{address}` answered {error.code} {error.reason}") from None
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise LibraryError(f"`{address}` cannot be read: {reason}") from None
    if len(content) > limit:
        raise LibraryError(f"`{address}` has more than {limit:,} bytes")
    return content
