"""A foreign file that is being read: its records one by one, each with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, NoReturn

from playhead.errors import ForeignFileError, JsonError
from playhead.tape import Json, loads_strict

MAX_RECORD = 64 * 2**20  # bytes of one record, of which all is in memory at a time
HEAD = 65_536  # bytes that a format is told by
_MAX_DEPTH = 128  # of JSON, as docs/format.md, section 1
_BLOCK = 1 << 18
_PLAIN = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)  # up to a bracket
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_SPACE = re.compile(rb"[ \t\r\n]*+")
_SCALAR = re.compile(rb"[^ \t\r\n,\[\]{}\"]++")
_BOM = b"\xef\xbb\xbf"
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "a ZIP archive",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "Zstandard",
}

Progress = Callable[[int, int], None]


class Record(NamedTuple):
    """A record of a file.

    Args:
        value: What it says.
        place: Where it stands, for people.
    """

    value: Json
    place: str


class ForeignFile:
    """A file, from its beginning; what it says is read once.

    Args:
        path: Its name, for messages and for what lies beside it.
        file: Opened in binary, able to seek.
        progress: Told how many bytes are read, and of how many.
    """

    def __init__(self, path: Path, file: BinaryIO, *, progress: Progress | None = None) -> None:
        self.path = path
        self.file = file
        self._progress = progress
        self._size = file.seek(0, 2)
        file.seek(0)
        self.head = file.read(HEAD)
        file.seek(0)

    def refuse_packed(self) -> None:
        """Make sure that it is not compressed: who can say how large it would become?

        Raises:
            ForeignFileError: It is.
        """
        for magic, name in _PACKED.items():
            if self.head.startswith(magic):
                raise self.fault("", f"this is {name}: unpack it first, then import what is in it")

    def fault(self, place: str, said: str) -> ForeignFileError:
        """A fault of what stands at a place, to be raised."""
        where = f"`{self.path}`: {place}: " if place else f"`{self.path}`: "
        return ForeignFileError(where + said, path=str(self.path), place=place)

    def lines(self) -> Iterator[Record]:
        """JSON values, one a line; empty lines are passed over."""
        number, at = 0, self._begin()
        while line := self.file.readline(MAX_RECORD + 1):
            number, at = number + 1, at + len(line)
            place = f"line {number}"
            if len(line) > MAX_RECORD:
                self._too_large(place)
            if line.strip():
                yield Record(self.parsed(line, place), place)
                self.tell(at)

    def values(self) -> Iterator[Record]:
        """JSON values: the elements of an array, or what stands one after the other."""
        scan = self.scan()
        listed = scan.begins_array()
        number = 0
        while (found := scan.next(listed=listed, number=number)) is not None:
            place = f"record {number} (line {found[1]})"
            yield Record(self.parsed(found[0], place), place)
            self.tell(self.file.tell())
            number += 1

    def scan(self) -> Scan:
        """What finds the values of the file, from its beginning."""
        self._begin()
        return Scan(self)

    @property
    def is_array(self) -> bool:
        """Whether it begins as an array."""
        return self.head.removeprefix(_BOM).lstrip()[:1] == b"["

    def parsed(self, data: bytes, place: str) -> Json:
        """What JSON text of the file says.

        Raises:
            ForeignFileError: It breaks a rule of docs/format.md, section 1.
        """
        try:
            return loads_strict(data)
        except (JsonError, RecursionError) as error:
            raise self.fault(place, str(error) or "nested too deeply") from None

    def _begin(self) -> int:
        self.file.seek(0)
        start = len(_BOM) if self.head.startswith(_BOM) else 0
        self.file.seek(start)
        return start

    def tell(self, at: int) -> None:
        """Say how far it is read."""
        if self._progress is not None:
            self._progress(at, self._size)

    def _too_large(self, place: str) -> NoReturn:
        raise self.fault(
            place, f"one record has more than {MAX_RECORD:,} bytes: split it, or leave it out"
        )


class Scan:
    """Finds where JSON values end, without reading them; what is between is looked at once."""

    def __init__(self, file: ForeignFile) -> None:
        self._file = file
        self._data = bytearray()
        self.line = 1  # in which `_data` begins
        self._ended = False

    def begins_array(self) -> bool:
        """Whether the file is an array, whose beginning is then passed."""
        if self.first() != b"[":
            return False
        self.take(1)
        return True

    def next(self, *, listed: bool, number: int) -> tuple[bytes, int] | None:
        """The next value and its line; None at the end.

        Raises:
            ForeignFileError: There is something else.
        """
        return self.value(number) if self.more(listed=listed, number=number) else None

    def more(self, *, listed: bool, number: int) -> bool:
        """Whether there is another value, which is then the next that is read.

        Raises:
            ForeignFileError: There is something else.
        """
        first = self.first()
        if listed:
            if first == b"]":
                self.take(1)
                self._end(number)
                return False
            if number:
                if first != b",":
                    raise self._fault(number, "a comma or the array's end should stand here")
                self.take(1)
                first = self.first()
        if not first:
            return self._cut(number) if listed else False
        return True

    def _end(self, number: int) -> None:
        if self.first():
            raise self._fault(number, "there is more after the end of the array")

    def _cut(self, number: int) -> NoReturn:
        raise self._fault(number, "the file ends before this: it was cut off")

    def _fault(self, number: int, said: str) -> ForeignFileError:
        return self._file.fault(f"record {number} (line {self.line})", said)

    def rest_of_line(self, most: int) -> bytes:
        """What stands on this line, which is not taken yet; none, if that is more than `most`."""
        while (end := self._data.find(b"\n")) < 0 and len(self._data) <= most:
            if not self._read():
                end = len(self._data)
                break
        return bytes(self._data[:end]) if 0 <= end <= most else b""

    def members(self, number: int) -> Iterator[str]:
        """The names of an object's members; who asks for the next one has taken the value.

        Raises:
            ForeignFileError: Something else stands there, or a name twice.
        """
        self.take(1)
        seen: set[str] = set()
        while (first := self.first()) != b"}":
            if seen:
                self._pass(b",", number)
                first = self.first()
            if first != b'"':
                raise self._fault(number, "a name in quotes should stand here")
            where = f"record {number} (line {self.line})"
            name = str(self._file.parsed(bytes(self.take(self._text(number))), where))
            if name in seen:
                raise self._fault(number, f"the member `{name[:80]}` stands twice in one object")
            seen.add(name)
            self.first()
            self._pass(b":", number)
            self.first()
            yield name
        self.take(1)

    def elements(self, number: int) -> Iterator[int]:
        """The numbers of a list's elements; who asks for the next one has taken the value.

        Raises:
            ForeignFileError: Something else stands there.
        """
        self.take(1)
        at = 0
        while self.first() != b"]":
            if at:
                self._pass(b",", number)
                self.first()
            yield at
            at += 1
        self.take(1)

    def _pass(self, mark: bytes, number: int) -> None:
        if not self._data:
            self._cut(number)
        if self._data[:1] != mark:
            raise self._fault(number, f"`{mark.decode()}` should stand here")
        self.take(1)

    def value(self, number: int) -> tuple[bytes, int]:
        """The next value, and its line.

        Raises:
            ForeignFileError: None begins here, or it is too large, or cut off.
        """
        if not self.first():
            self._cut(number)
        first, line = bytes(self._data[:1]), self.line
        if first in b"{[":
            end = self._structure(number)
        else:
            end = self._text(number) if first == b'"' else self._scalar(number)
        return bytes(self.take(end)), line

    def _structure(self, number: int) -> int:
        """Where the array or object ends with which the data begins."""
        at = depth = 0
        while True:
            found = _PLAIN.match(self._data, at)
            at = found.end() if found is not None else at
            step = _STEP.get(self._data[at]) if at < len(self._data) else None
            if step is None:  # at the end of what is read, or at a text that goes beyond it
                self._more(number)
                continue
            at, depth = at + 1, depth + step
            if depth > _MAX_DEPTH:
                raise self._fault(number, f"more than {_MAX_DEPTH} levels of nesting")
            if depth == 0:
                return at

    def _text(self, number: int) -> int:
        while (found := _TEXT.match(self._data)) is None:
            self._more(number)
        return found.end()

    def _scalar(self, number: int) -> int:
        while True:
            found = _SCALAR.match(self._data)
            end = found.end() if found is not None else 0
            if end < len(self._data) or self._ended:
                if not end:
                    raise self._fault(number, "no JSON value begins here")
                return end
            self._more(number)

    def _more(self, number: int) -> None:
        """Read on within a value."""
        if len(self._data) > MAX_RECORD:
            self._file._too_large(f"record {number} (line {self.line})")
        if not self._read():
            if self._data[:1] in _OPENING:
                self._cut(number)
            self._ended = True

    def _read(self) -> bool:
        """Read as much again as there is, so that a long text is looked at a few times only."""
        block = self._file.file.read(max(_BLOCK, len(self._data)))
        self._data += block
        return bool(block)

    def first(self) -> bytes:
        """The next byte that is no space; it stays. Nothing at the end."""
        while True:
            found = _SPACE.match(self._data)
            self.take(found.end() if found is not None else 0)
            if self._data or not self._read():
                return bytes(self._data[:1])

    def take(self, count: int) -> bytearray:
        taken = self._data[:count]
        del self._data[:count]
        self.line += taken.count(b"\n")
        return taken


_OPENING = (b"{", b"[", b'"')
_STEP = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
