"""Tapes as files of JSON lines (docs/format.md, section 10)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple, NoReturn

from playhead.errors import JsonError, TapeError, VerificationError
from playhead.tape._body import MAX_BODY, known_kinds
from playhead.tape._json import Json, compact, loads_strict
from playhead.tape._step import GENESIS, MAX_HEADER, Step
from playhead.tape._strict import HASH, ID, header_fault, is_count, is_like
from playhead.tape._tape import Tape
from playhead.tape.kinds import TapeHeader

LINE_LIMIT = 256 * 2**20
"""Bytes of a line of a file, its end included: who reads one asks for no more than one beyond."""
_SHAPES = {
    frozenset(["playhead", "v", "tape", "length", "head"]): "first",
    frozenset(["header", "salt", "body"]): "entry",
    frozenset(["document", "content"]): "document",
    frozenset(["blob", "content"]): "blob",
}


def write_tape(
    tape: Tape,
    documents: Mapping[str, bytes] | Iterable[tuple[str, bytes]] = (),
    blobs: Mapping[str, bytes] | Iterable[tuple[str, bytes]] = (),
) -> Iterator[bytes]:
    """The lines of a tape's file, each with its line break; nothing is kept in memory.

    Args:
        tape: The tape; shared steps are written as well.
        documents: Canonical documents by digest, or pairs of both, asked for after the steps.
        blobs: Contents of blobs by address, or pairs of both, asked for after the documents.

    Raises:
        TapeError: A stored header or body is no text: verify the tape.
    """
    first: dict[str, Json] = {
        "playhead": "tape",
        "v": 1,
        "tape": tape.id,
        "length": len(tape),
        "head": tape.head,
    }
    yield _line(first)
    for step in tape:
        yield _line(
            {
                "header": _text(step.header, step),
                "salt": step.salt.hex() if step.salt is not None else None,
                "body": _text(step.data, step) if step.data is not None else None,
            }
        )
    for digest, content in documents.items() if isinstance(documents, Mapping) else documents:
        yield document_line(digest, content)
    for address, content in blobs.items() if isinstance(blobs, Mapping) else blobs:
        yield blob_line(address, content)


def document_line(digest: str, content: bytes) -> bytes:
    """The line of a canonical document in a tape's file."""
    return _line({"document": digest, "content": content.decode()})


def blob_line(address: str, content: bytes) -> bytes:
    """The line of a blob in a tape's file."""
    return _line({"blob": address, "content": base64.b64encode(content).decode()})


def _line(members: dict[str, Json]) -> bytes:
    return compact(members).encode() + b"\n"


def _text(data: bytes, step: Step) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise TapeError(f"step {step.seq} is no text: {error}", seq=step.seq) from None


class FileItem(NamedTuple):
    """A document or a blob in a file.

    Args:
        type: `document` or `blob`.
        name: Its digest or address.
        content: Its bytes, which match the name.
    """

    type: Literal["document", "blob"]
    name: str
    content: bytes


def read_tape(lines: Iterable[bytes]) -> Tape:
    """The tape that a file holds, verified; documents and blobs are verified and left out.

    Args:
        lines: The lines of the file; a file opened in binary will do.

    Raises:
        VerificationError: The first fault: `line` counts from 1, `fault` is a code of
            docs/format.md, section 11.
    """
    return Tape.of([item for item in scan_tape(lines) if isinstance(item, Step)])


def scan_tape(lines: Iterable[bytes]) -> Iterator[Step | FileItem]:
    """What a file holds, in its order, each verified; of what went by, only ids are kept.

    That the file is whole is known when the iteration has ended without an error.

    Args:
        lines: As for `read_tape`.

    Raises:
        VerificationError: As for `read_tape`.
    """
    reader = _Reader()
    for raw in lines:
        item = reader.take(raw)
        if item is not None:
            yield item
    reader.finish()


class _Reader:
    """What is known between two lines. The methods stand in the order of a file."""

    def __init__(self) -> None:
        self._line = 0
        self._first: dict[str, Json] = {}
        self._last: Step | None = None
        self._length = 0
        self._ids: set[bytes] = set()  # half as large as the texts
        self._tapes: set[str] = set()
        self._roles = {kind: body.role for kind, body in known_kinds().items() if _ours(kind)}
        self._blob_key = ""

    def _refuse(self, fault: str, message: str) -> NoReturn:
        raise VerificationError(f"line {self._line}: {message}", line=self._line, fault=fault)

    def _parsed(self, raw: bytes, what: str, fault: str = "json") -> dict[str, Json]:
        try:
            value = loads_strict(raw)
        except (JsonError, RecursionError) as error:
            self._refuse("json", f"{what}: {error}")
        if not isinstance(value, dict):
            self._refuse(fault, f"{what} is no JSON object")
        return value

    def take(self, raw: bytes) -> Step | FileItem | None:
        self._line += 1
        if len(raw) > LINE_LIMIT:
            most = f"more than {LINE_LIMIT:,} bytes"
            self._refuse("json", f"{most}, which no tape's file has: export it again")
        members = self._parsed(raw, "the line")
        shape = _SHAPES.get(frozenset(members))
        if shape is None or (shape == "first") != (self._line == 1):
            due = "the line of a tape's head" if self._line == 1 else "an entry"
            self._refuse("json", f"{due} is due, found the members {sorted(members)!r:.100}")
        for name, value in members.items():
            is_right = isinstance(value, str) or (value is None and name in ("salt", "body"))
            if not is_right and name not in ("v", "length"):
                self._refuse("json", f"`{name}` is no text")
        found: Step | FileItem | None = getattr(self, f"_{shape}_line")(members)
        return found

    def _first_line(self, members: dict[str, Json]) -> None:
        if members["playhead"] != "tape" or members["v"] != 1 or not is_count(members["v"]):
            self._refuse("json", "this is no tape of format version 1")
        if not is_count(members["length"]):
            self._refuse("json", "`length` is no number of entries")
        self._first = members

    def _entry_line(self, members: dict[str, Json]) -> Step:
        header, salt, body = str(members["header"]).encode(), members["salt"], members["body"]
        if len(header) > MAX_HEADER:
            self._refuse("header", f"the header has {len(header):,} bytes")
        fault = header_fault(self._parsed(header, "the header", "header"))
        if fault is not None:
            self._refuse("header", fault)
        if (salt is None) != (body is None) or (salt is not None and not is_like(ID, salt)):
            self._refuse("body", "salt and body are not both there, or the salt is not 16 bytes")
        data = body.encode() if isinstance(body, str) else None
        step = Step.load(header, bytes.fromhex(str(salt)) if data is not None else None, data)
        self._check_place(step)
        self._check_body(step)
        self._last, self._length = step, self._length + 1
        self._ids.add(bytes.fromhex(step.id))
        self._tapes.add(step.tape)
        return step

    def _check_place(self, step: Step) -> None:
        last = self._last
        if step.seq != self._length:
            self._refuse("sequence", f"`seq` is {step.seq} where {self._length} is due")
        if step.prev != (last.link if last is not None else GENESIS):
            self._refuse("chain", "`prev` is not the link of the entry before")
        if bytes.fromhex(step.id) in self._ids:
            self._refuse("identity", f"the id {step.id} stands on an entry before")
        unknown = next((each for each in step.re if bytes.fromhex(each) not in self._ids), None)
        if unknown is not None:
            self._refuse("reference", f"`re` names {unknown}, which is no entry before")
        if step.role != self._roles.get(step.kind, step.role):
            self._refuse("role", f"`{step.kind}` has the role {step.role}")
        begins = step.kind == TapeHeader.kind
        if begins != (last is None or step.tape != last.tape):
            self._refuse("lineage", "another tape begins with its header entry, and only there")
        if begins and step.tape in self._tapes:
            self._refuse("lineage", f"the tape {step.tape} begins a second time")

    def _check_body(self, step: Step) -> None:
        begins = step.kind == TapeHeader.kind
        if step.data is None:
            if begins:
                self._refuse("lineage", "the entry of a tape's header is erased")
            return
        if len(step.data) > MAX_BODY:
            self._refuse("header", f"the body has {len(step.data):,} bytes")
        if not step.verify_body():
            self._refuse("body", "the digest of the body is another one")
        members = self._parsed(step.data, "the body", "body")
        if begins:
            self._check_lineage(step, members)

    def _check_lineage(self, step: Step, body: dict[str, Json]) -> None:
        key, parent = body.get("blob_key"), body.get("parent")
        if not is_count(body.get("format")) or body["format"] != 1:
            self._refuse("lineage", f"`format` is {body.get('format')!r:.100}")
        if not is_like(HASH, key) or key != (self._blob_key or key):
            self._refuse("lineage", "`blob_key` is no key, or not the parent's")
        self._blob_key = str(key)
        if self._last is None:
            due: Json = None
        else:
            due = {"tape": _tape_of(parent), "at": step.seq, "head": self._last.link}
            if not is_like(ID, due["tape"]) or due["tape"] == step.tape:
                self._refuse("lineage", "`parent.tape` is not the id of another tape")
        if parent != due:
            self._refuse("lineage", "`parent` is not where this tape was forked")

    def _document_line(self, members: dict[str, Json]) -> FileItem:
        content = str(members["content"]).encode()
        if members["document"] != f"sha256:{hashlib.sha256(content).hexdigest()}":
            self._refuse("document", f"the digest of {members['document']!r:.100} is another one")
        try:
            loads_strict(content)
        except JsonError as error:
            self._refuse("json", f"the document: {error}")
        return FileItem("document", str(members["document"]), content)

    def _blob_line(self, members: dict[str, Json]) -> FileItem:
        text = str(members["content"])
        try:
            content = base64.b64decode(text, validate=True)
        except ValueError as error:
            self._refuse("blob", f"the content is no base64: {error}")
        address = hmac.digest(bytes.fromhex(self._blob_key), content, "sha256").hex()
        if members["blob"] != address or base64.b64encode(content).decode() != text:
            self._refuse("blob", f"the address of {members['blob']!r:.100} is another one")
        return FileItem("blob", address, content)

    def finish(self) -> None:
        """Make sure that the file is whole."""
        if self._last is None:
            self._refuse("lineage", "the file has no entry")
        if self._first["length"] != self._length:
            self._refuse("length", f"line 1 says {self._first['length']}, these are {self._length}")
        if (self._first["tape"], self._first["head"]) != (self._last.tape, self._last.link):
            self._refuse("head", "line 1 says another tape or head")


def _ours(kind: str) -> bool:
    return kind.startswith("playhead.")


def _tape_of(parent: Json) -> Json:
    return parent.get("tape") if isinstance(parent, dict) else None
