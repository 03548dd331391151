"""Sealed steps: a header on the chain, a salt, and a body that is read when it is looked at."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

import orjson

from playhead.errors import TapeError
from playhead.tape._body import (
    Body,
    Opaque,
    StepRole,
    decode_body,
    encode_body,
    is_known,
    kind_of,
)
from playhead.tape._by import SYSTEM, By, by_text
from playhead.tape._ids import is_id, new_id, random16, utc_now

FORMAT_VERSION = 1
GENESIS = "0" * 64
MAX_HEADER = 16_384
_MAX_SEQ = 1 << 53
Origin: TypeAlias = Literal["native", "captured", "imported"]

_ORIGINS = get_args(Origin)


@dataclass(slots=True)
class Draft:
    """A body that is not yet on a tape, and what its header will say.

    Args:
        body: What the step says.
        by: Who made it.
        re: Ids of the steps that it answers.
        frame: Frame of the call stack.
        origin: `native`, `captured` or `imported`.
        id: Minted when the draft is made, so that writing twice stores once.
    """

    body: Body
    by: By = SYSTEM
    re: tuple[str, ...] = ()
    frame: int = 0
    origin: Origin = "native"
    id: str = field(default_factory=new_id)


class Step:
    """One immutable entry of a tape. `header`, `salt` and `data` are its stored bytes."""

    __slots__ = (
        "_body", "_link", "body_digest", "by", "data", "frame", "header", "id", "kind",
        "kind_version", "origin", "prev", "re", "role", "salt", "seq", "tape", "time",
    )  # fmt: skip

    tape: str
    seq: int
    id: str
    prev: str
    time: str
    kind: str
    kind_version: int
    role: StepRole
    origin: Origin
    frame: int
    re: tuple[str, ...]
    by: By
    body_digest: str
    header: bytes
    salt: bytes | None
    data: bytes | None
    _body: Body | None  # decoded when first looked at
    _link: str | None  # computed when first asked for

    def __init__(self) -> None:
        raise TypeError("steps are made by appending drafts to a tape, or read from a store")

    @classmethod
    def load(cls, header: bytes, salt: bytes | None, data: bytes | None) -> Step:
        """Read a stored entry. The body is not looked at.

        Raises:
            TapeError: The header is not one of format version 1.
        """
        step = object.__new__(cls)
        try:
            members = orjson.loads(header)
            if members["v"] != FORMAT_VERSION:
                raise TapeError(
                    f"this entry has format version {members['v']}, this Playhead reads "
                    f"{FORMAT_VERSION}: install a newer Playhead",
                    version=members["v"],
                )
            step.tape, step.seq, step.id = members["tape"], members["seq"], members["id"]
            step.prev, step.time = members["prev"], members["time"]
            step.kind, step.kind_version = members["kind"], members["kv"]
            step.role, step.origin = members["role"], members["origin"]
            step.frame, step.re = members["frame"], tuple(members["re"])
            step.by = By.from_json(members["by"])
            step.body_digest = members["body_digest"]
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise TapeError(f"an entry has no readable header: {error!r}") from None
        step.header, step.salt, step.data = header, salt, data
        step._body = step._link = None
        return step

    @classmethod
    def seal(cls, draft: Draft, *, tape: str, seq: int, prev: str) -> Step:
        """Put a draft on the chain.

        Raises:
            BodyError: The body cannot be written.
            TapeError: The header would not be one of the format.
        """
        body = draft.body
        step = object.__new__(cls)
        step.data = data = encode_body(body)
        step.salt = salt = random16()
        step.body_digest = hashlib.sha256(salt + data).hexdigest()
        step.time = utc_now()
        step.kind, step.kind_version, step.role = kind_of(type(body))
        step.tape, step.seq, step.id, step.prev = tape, seq, draft.id, prev
        step.origin, step.frame, step.re, step.by = draft.origin, draft.frame, draft.re, draft.by
        step.header = header = _header(step)
        step._link = hashlib.sha256(b"\0" + header).hexdigest()
        step._body = body
        return step

    @property
    def body(self) -> Body:
        """What the step says.

        Raises:
            BodyError: The stored bytes do not fit the kind.
        """
        body = self._body
        if body is None:
            self._body = body = self._decoded()
        return body

    @property
    def link(self) -> str:
        """Hash of the header, which the next step names as its `prev`."""
        link = self._link
        if link is None:
            self._link = link = hashlib.sha256(b"\0" + self.header).hexdigest()
        return link

    @property
    def erased(self) -> bool:
        """Whether the body was erased."""
        return self.data is None

    def _decoded(self) -> Body:
        if self.data is None:
            return Opaque(data=None)
        return decode_body(self.kind, self.kind_version, self.data)

    @property
    def known(self) -> bool:
        """Whether this process knows the step's kind in its version."""
        return is_known(self.kind, self.kind_version)

    def forget_body(self) -> None:
        """Drop the decoded body; it is decoded again when looked at."""
        self._body = None

    def verify_body(self) -> bool:
        """Whether salt and body still match the header."""
        if self.data is None or self.salt is None:
            return self.data is None and self.salt is None
        return hashlib.sha256(self.salt + self.data).hexdigest() == self.body_digest

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Step):
            return NotImplemented
        return (self.header, self.salt, self.data) == (other.header, other.salt, other.data)

    def __hash__(self) -> int:
        return hash(self.header)

    def __repr__(self) -> str:
        return f"<Step {self.seq} {self.kind}>"


def _header(step: Step) -> bytes:
    """Bytes of a header; it refuses what no verifier would accept (docs/format.md, section 2)."""
    answers, frame = step.re, step.frame
    if not (is_id(step.tape) and is_id(step.id) and all(map(is_id, answers))):
        raise TapeError(f"`{step.id}` or one of `re` {answers} is no id: leave it to `Draft`")
    if type(frame) is not int or not 0 <= frame < _MAX_SEQ:
        raise TapeError(f"there is no frame {frame}: take it from the view")
    if step.origin not in _ORIGINS:
        raise TapeError(f"an origin is one of {', '.join(_ORIGINS)}, not `{step.origin}`")
    text = (
        f'{{"v":{FORMAT_VERSION},"tape":"{step.tape}","seq":{step.seq},"id":"{step.id}",'
        f'"prev":"{step.prev}","time":"{step.time}","kind":"{step.kind}",'
        f'"kv":{step.kind_version},"role":"{step.role}","origin":"{step.origin}",'
        f'"frame":{frame},"re":{_listed(answers)},"by":{by_text(step.by)},'
        f'"body_digest":"{step.body_digest}"}}'
    )
    header = text.encode()
    if len(header) > MAX_HEADER:
        raise TapeError(
            f"a header of {len(header):,} bytes is more than {MAX_HEADER:,}: "
            "shorten the names in it"
        )
    return header


def _listed(ids: tuple[str, ...]) -> str:
    return '["' + '","'.join(ids) + '"]' if ids else "[]"
