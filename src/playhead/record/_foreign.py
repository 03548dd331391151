"""A session from elsewhere, on its way onto a tape."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson

from playhead.record._losses import Losses
from playhead.store import Blob
from playhead.tape import (
    BLOB_LIMIT,
    BlobPart,
    By,
    Draft,
    Json,
    Tape,
    blob_address,
    canonical,
    digest_of,
    text_parts,
    unchecked,
)
from playhead.tape.kinds import Source

_PREVIEW = 1000  # characters


@dataclass(slots=True)
class ForeignTape:
    """One session of a foreign document, as drafts.

    The tape's id follows from `format` and `key`, so that the same session is imported once,
    however often it is met. Ids, times and members of the document that have no place on a tape
    are attributes, in `playhead.source`, never identity.

    Args:
        format: The name of the format.
        key: What makes it this session and no other: a digest of what it says, or an id that is
            its own among all documents of the format.
        drafts: Its steps; taken once, while the file is read on. Of a model call, the messages of
            the prompt are written out; what was said before is referred to when it is stored.
        place: Where it stands in the file.
        documents: Canonical documents that the drafts name, by digest.
        blobs: Contents that the drafts name, by address; see `blob`.
        losses: What has no place.
        steps: How many steps the foreign document has.
        has_calls: Whether there are model calls among the drafts.
        is_whole: Whether it is a record of the file; another one stands within one, and is no part
            of its own of what an export of the file has.
    """

    format: str
    key: str
    drafts: Iterable[Draft] = ()
    place: str = ""
    documents: dict[str, bytes] = field(default_factory=dict)
    blobs: dict[str, Blob] = field(default_factory=dict)
    losses: Losses = field(default_factory=Losses)
    steps: int = 0
    has_calls: bool = False
    is_whole: bool = True
    tape: Tape = field(init=False)

    def __post_init__(self) -> None:
        self.tape = Tape.new(tape_id(self.format, self.key))

    @property
    def importer(self) -> By:
        """Who makes the steps that nobody else made."""
        return By("importer", self.format)

    def agent(self, name: str, node: str = "", *, call: str | None = None) -> By:
        """An agent of which the document says the name; its configuration says no more.

        Args:
            name: The agent.
            node: The node, if the document has such.
            call: The id of the model call that the step comes from.
        """
        if call is not None:
            return By("agent", name, node, call=call)
        digest, content = _config(self.format, name)
        self.documents[digest] = content
        return By("agent", name, node, digest)

    def blob(self, content: bytes, media_type: str) -> BlobPart:
        """Content outside the bodies, as a part."""
        address = blob_address(self.tape.header.blob_key, content)
        self.blobs[address] = Blob(content, media_type)
        preview = ""
        if media_type.startswith("text/"):
            preview = content[: _PREVIEW * 4].decode("utf-8", "ignore")[:_PREVIEW]
        return BlobPart(media_type=media_type, size=len(content), address=address, preview=preview)

    def source(self, members: Json, step: Draft | None = None) -> Draft:
        """The note of what has no other place, of one step or of the whole tape."""
        text = content_bytes(members)
        if len(text) > BLOB_LIMIT:
            body = Source(format=self.format, parts=text_parts(text.decode()))
        else:
            body = unchecked(Source, format=self.format, members=members)
        return Draft(body, by=self.importer, re=(step.id,) if step is not None else ())


@functools.lru_cache(maxsize=512)
def _config(format: str, name: str) -> tuple[str, bytes]:
    """The configuration of an agent of which only the name is known, and its digest."""
    content = canonical({"agent": name, "imported": format})
    return digest_of(content), content


def tape_id(format: str, key: str) -> str:
    """The id of the tape that a foreign session becomes: a UUID of version 8 (RFC 9562)."""
    found = hashlib.sha256(f"{format}\0{key}".encode()).digest()
    number = int.from_bytes(found[:16])
    number &= ~(0xF << 76 | 0x3 << 62)
    return f"{number | 0x8 << 76 | 0x2 << 62:032x}"


def content_bytes(value: Json) -> bytes:
    """JSON text of a value, quickly; members stay in their order."""
    try:
        return orjson.dumps(value)
    except TypeError:  # an integer of more than 64 bits
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def sorted_bytes(value: Json) -> bytes:
    """JSON text of a value, the same for any order of members."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return json.dumps(value, sort_keys=True).encode()


class Keys:
    """Keys of sessions that have no id of their own: what they say, and how often that came."""

    def __init__(self) -> None:
        self._seen: dict[bytes, int] = {}

    def of(self, value: Json) -> str:
        """A key: the same for the same content, whatever its spelling and the order of members."""
        digest = hashlib.sha256(sorted_bytes(value)).digest()
        times = self._seen[digest] = self._seen.get(digest, 0) + 1
        return digest.hex() if times == 1 else f"{digest.hex()}#{times}"
