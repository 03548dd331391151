"""A stored tape, on its way into a foreign document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from playhead.errors import JsonError
from playhead.record._shape import JsonObject
from playhead.store import Store
from playhead.tape import BlobPart, Body, Json, Part, Step, Tape, TextPart, loads_strict
from playhead.tape.kinds import ModelCall, Source, ToolResult


class StoredStep(NamedTuple):
    """A step, and what a foreign document said of it that has no other place.

    Args:
        step: The step.
        members: What the notes of the format say of it; None if there is none.
    """

    step: Step
    members: Json


@dataclass(slots=True)
class StoredTape:
    """A tape with what it refers to.

    Args:
        tape: The tape.
        format: The format that it is written in: notes of others are left out.
        contents: Contents of its blobs by address, as far as they are there.
        tools: What its first model call offered to the model.
        offers: What its model calls offered, by digest.
    """

    tape: Tape
    format: str
    contents: Mapping[str, bytes] = field(default_factory=dict)
    tools: list[JsonObject] = field(default_factory=list)
    offers: Mapping[str, list[JsonObject]] = field(default_factory=dict)
    _members: dict[str | None, Json] = field(init=False)

    def __post_init__(self) -> None:
        self._members = {}
        for step in self.tape:
            body = self._source(step)
            if body is not None:
                self._members[step.re[0] if step.re else None] = self._said(body)

    def _source(self, step: Step) -> Source | None:
        body = step.body if step.kind == Source.kind and not step.erased else None
        return body if isinstance(body, Source) and body.format == self.format else None

    def _said(self, body: Source) -> Json:
        if not body.parts:
            return body.members
        try:
            return loads_strict(self.text(body.parts))
        except JsonError:  # its blob was erased
            return None

    @property
    def members(self) -> Json:
        """What the notes of the format say of the whole tape; None if there is none."""
        return self._members.get(None)

    def steps(self) -> Iterator[StoredStep]:
        """All steps but the tape's header and the notes of foreign documents, of any format."""
        for step in self.tape:
            if step.kind not in (Source.kind, "playhead.tape"):
                yield StoredStep(step, self._members.get(step.id))

    def notes(self) -> Iterator[StoredStep]:
        """The notes of the format, in order, with what they say."""
        for step in self.tape:
            body = self._source(step)
            if body is not None:
                yield StoredStep(step, self._said(body))

    def text(self, parts: Iterable[Part]) -> str:
        """The text of parts, with that of blobs; of one whose content is gone, its preview."""
        return "".join(self._text(part) for part in parts)

    def _text(self, part: Part) -> str:
        if isinstance(part, TextPart):
            return part.content
        if isinstance(part, BlobPart):
            content = self.contents.get(part.address)
            return part.preview if content is None else content.decode("utf-8", "replace")
        return ""

    def result(self, body: ToolResult) -> Json:
        """The result of a tool, also where it is so large that it is a blob."""
        if body.result is not None or not body.parts:
            return body.result
        text = self.text(body.parts)
        first = body.parts[0]
        if isinstance(first, BlobPart) and first.media_type == "application/json":
            try:
                return loads_strict(text)
            except JsonError:
                return text
        return text


async def stored_tape(store: Store, tape: str, format: str) -> StoredTape:
    """A tape of a store, with its blobs.

    Raises:
        TapeNotFoundError: There is no such tape.
    """
    opened = await store.open(tape)
    contents: dict[str, bytes] = {}
    for address in {a for step in opened for a in _addresses(step)}:
        blob = await store.blob(tape, address)
        if blob is not None:
            contents[address] = blob.content
    offers = await _offers(store, opened)
    return StoredTape(opened, format, contents, next(iter(offers.values()), []), offers)


async def _offers(store: Store, tape: Tape) -> dict[str, list[JsonObject]]:
    """The tools of the model calls, by digest: those of the first one first."""
    offers: dict[str, list[JsonObject]] = {}
    for number, digest in enumerate(_digests(tape)):
        content = await store.document(digest) if digest is not None else None
        tools = loads_strict(content) if content is not None else None
        found = (
            [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
        )
        if digest is not None or not number:
            offers[digest or ""] = found
    return offers


def _digests(tape: Tape) -> list[str | None]:
    calls = (step.body for step in tape if step.kind == ModelCall.kind and step.known)
    return list(dict.fromkeys(call.prompt.tools for call in calls if isinstance(call, ModelCall)))


def _addresses(step: Step) -> Iterator[str]:
    if step.data is None or b'"address"' not in step.data or not step.known:
        return
    body: Body = step.body
    for part in _parts(body):
        if isinstance(part, BlobPart):
            yield part.address


def _parts(body: Body) -> Iterator[Part]:
    """All parts of a body that may be blobs."""
    yield from getattr(body, "parts", ())
    message = getattr(body, "message", None)
    if message is not None and not isinstance(message, str):
        yield from message.parts
    raw = getattr(body, "raw", None)
    if raw is not None:
        yield raw
    prompt = getattr(body, "prompt", None)
    for item in prompt.items if prompt is not None else ():
        said = getattr(item, "m", None)
        yield from said.parts if said is not None else ()
