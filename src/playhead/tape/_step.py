"""Sealed steps: a header on the chain, a salt, and a body that is read when it is looked at."""

from __future__ import annotations

import functools
import hashlib
import os
import re
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

import orjson

from playhead.errors import TapeError
from playhead.tape._body import Body, Opaque, StepRole, decode_body, encode_body, is_known
from playhead.tape._ids import new_id, utc_now
from playhead.tape._json import dump_header

FORMAT_VERSION = 1
GENESIS = "0" * 64
MAX_HEADER = 16_384
Origin: TypeAlias = Literal["native", "captured", "imported"]

_ID = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class By(NamedTuple):
    """Who made a step.

    Args:
        type: `agent`, `tool`, `person`, `player`, `importer` or `system`.
        name: Of the agent, tool, person, experience or importer.
        node: Of an agent: the node.
        config: Of an agent: the digest of its configuration; absent beside a `call`, which has it.
        call: Of an agent: the id of the model call that the step comes from.
        span: Of an agent: `(from, to)` in characters of that completion's text.
        version: Of a player: the experience's version.
    """

    type: str
    name: str | None = None
    node: str | None = None
    config: str | None = None
    call: str | None = None
    span: tuple[int, int] | None = None
    version: str | None = None

    def as_json(self) -> dict[str, object]:
        """The members that are set."""
        return {
            name: value for name, value in zip(self._fields, self, strict=True) if value is not None
        }

    @classmethod
    def from_json(cls, members: dict[str, Any]) -> By:
        """Read the members back; unknown ones are ignored."""
        span = members.get("span")
        return cls(
            type=members["type"],
            name=members.get("name"),
            node=members.get("node"),
            config=members.get("config"),
            call=members.get("call"),
            span=tuple(span) if span else None,
            version=members.get("version"),
        )


SYSTEM = By("system")


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
    _body: Body | None
    _link: str | None

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
        _check_draft(draft)
        step = object.__new__(cls)
        step.data = encode_body(body)
        step.salt = os.urandom(16)
        step.body_digest = hashlib.sha256(step.salt + step.data).hexdigest()
        step.tape, step.seq, step.id, step.prev = tape, seq, draft.id, prev
        step.time = utc_now()
        step.kind, step.kind_version, step.role = body.kind, body.kind_version, body.role
        step.origin, step.frame, step.re, step.by = draft.origin, draft.frame, draft.re, draft.by
        step.header = dump_header(
            {
                "v": FORMAT_VERSION,
                "tape": tape,
                "seq": seq,
                "id": draft.id,
                "prev": prev,
                "time": step.time,
                "kind": body.kind,
                "kv": body.kind_version,
                "role": body.role,
                "origin": draft.origin,
                "frame": draft.frame,
                "re": draft.re,
                "by": draft.by.as_json(),
                "body_digest": step.body_digest,
            }
        )
        if len(step.header) > MAX_HEADER:
            raise TapeError(
                f"a header of {len(step.header):,} bytes is more than {MAX_HEADER:,}: "
                "shorten the names in it"
            )
        step._body, step._link = body, None
        return step

    @property
    def link(self) -> str:
        """The chain's digest up to this step."""
        if self._link is None:
            self._link = hashlib.sha256(b"\0" + self.header).hexdigest()
        return self._link

    @property
    def erased(self) -> bool:
        """Whether the body was erased."""
        return self.data is None

    @property
    def body(self) -> Body:
        """The body; `Opaque` where its kind is not known here, or it was erased.

        Raises:
            BodyError: The stored bytes do not fit the kind.
        """
        if self._body is None:
            self._body = (
                Opaque(data=None)
                if self.data is None
                else decode_body(self.kind, self.kind_version, self.data)
            )
        return self._body

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


_MAKERS: dict[str, tuple[set[str], set[str]]] = {  # members that `by` must have, and may have
    "agent": ({"name", "node"}, {"config", "call", "span"}),
    "tool": ({"name"}, set()),
    "person": (set(), {"name"}),
    "player": ({"name", "version"}, set()),
    "importer": ({"name"}, set()),
    "system": (set(), set()),
}


_OPTIONAL = By._fields[1:]


def _check_draft(draft: Draft) -> None:
    """Refuse what no verifier would accept (docs/format.md, section 2)."""
    if not (is_id(draft.id) and all(map(is_id, draft.re))):
        raise TapeError(f"`{draft.id}` or one of `re` {draft.re} is no id: leave it to `Draft`")
    if draft.frame < 0:
        raise TapeError(f"there is no frame {draft.frame}: take it from the view")
    if not _is_maker(draft.by):
        raise TapeError(f"{draft.by} makes no steps: see docs/format.md, section 2, for `by`")


def _is_maker(by: By) -> bool:
    if by.call is not None and not is_id(by.call):
        return False
    if by.span is not None and not 0 <= by.span[0] <= by.span[1]:
        return False
    given = tuple(name for name in _OPTIONAL if getattr(by, name) is not None)
    return _is_shape(by.type, given, by.config)


@functools.lru_cache(maxsize=512)
def _is_shape(type: str, given: tuple[str, ...], config: str | None) -> bool:
    must, may = _MAKERS.get(type, ({"no such type"}, set()))
    return (
        must <= set(given) <= must | may
        and (type != "agent" or "config" in given or "call" in given)
        and (config is None or _DIGEST.fullmatch(config) is not None)
    )


def is_id(text: str) -> bool:
    """Whether the text is an id as the format writes them."""
    return _ID.fullmatch(text) is not None
