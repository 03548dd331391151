"""Spans of OTLP JSON: read one by one, so that one that is wrong does not take the others along."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from playhead.conventions import OPERATION, OPERATIONS, STEP, Kind
from playhead.errors import JsonError
from playhead.record._shape import JsonObject, ShapeFault, as_object, as_text
from playhead.record.otlp._values import listed, members_of, pairs, said_by, whole_number
from playhead.tape import Json, loads_strict

_TRACE, _SPAN = re.compile("[0-9a-fA-F]{32}"), re.compile("[0-9a-fA-F]{16}")
_UINT64 = 1 << 64
_FAILED = (2, "STATUS_CODE_ERROR")


@dataclass(frozen=True, slots=True)
class Span:
    """A span.

    Args:
        trace: The id of its trace, hexadecimal.
        id: Its own.
        parent: That of the span that it is part of; empty if there is none.
        name: Its name.
        start: When it began, nanoseconds since the epoch.
        end: When it ended.
        attributes: Its attributes, as JSON.
        raw: Its attributes, as `AnyValue`s.
        rest: Its other members, as they stand.
        resource: What it comes from: the members of `resourceSpans` but the spans.
        scope: Who made it: the members of `scopeSpans` but the spans.
        failure: What its status says, if that is an error.
        place: Where it stands in a file.
        kind: What it tells of, if it is something that a tape has.
    """

    trace: str
    id: str
    parent: str
    name: str
    start: int
    end: int
    attributes: dict[str, Json]
    raw: dict[str, Json]
    rest: JsonObject
    resource: JsonObject
    scope: JsonObject
    failure: str | None = None
    place: str = ""
    kind: Kind | None = None
    _parsed: dict[str, Json] = field(default_factory=dict, compare=False, repr=False)

    def said(self, name: str) -> Json:
        """What an attribute says: if it is a text that is JSON, what that says."""
        if name not in self._parsed:
            self._parsed[name] = read_json(self.attributes[name])
        return self._parsed[name]

    def is_read(self, name: str) -> bool:
        """Whether it is known what an attribute says."""
        return name in self._parsed

    def know(self, name: str, value: Json) -> None:
        """Take this for what an attribute says: it was read elsewhere."""
        self._parsed[name] = value

    @property
    def order(self) -> tuple[int, int, str, str]:
        """Orders spans of one parent: by time, then by what Playhead says of equal times."""
        step = self.attributes.get(STEP)
        return self.start, step if isinstance(step, int) else -1, self.trace, self.id

    @property
    def whole(self) -> JsonObject:
        """All members of the span."""
        told: list[Json] = [{"key": name, "value": value} for name, value in self.raw.items()]
        return {**self.rest, "attributes": told} if told else dict(self.rest)


def read_spans(
    document: Json, *, place: str = "", reject: Callable[[ShapeFault], None] | None = None
) -> Iterator[Span]:
    """The spans of an export request, or of a line of a file.

    Args:
        document: What was sent, as OTLP JSON.
        place: Where it stands in a file.
        reject: Told of each span that is none; if not given, the fault is raised.

    Raises:
        ShapeFault: It is no such document.
    """
    whole = as_object(document, "request")
    groups = listed(whole.get("resourceSpans"), "resourceSpans")
    for at, group in enumerate(groups):
        where = f"resourceSpans.{at}"
        resource = as_object(group, where)
        check_attributes(resource.get("resource"), f"{where}.resource")
        scopes = listed(resource.get("scopeSpans"), f"{where}.scopeSpans")
        for number, item in enumerate(scopes):
            inner = f"{where}.scopeSpans.{number}"
            scope = as_object(item, inner)
            check_attributes(scope.get("scope"), f"{inner}.scope")
            around = (_without(resource, "scopeSpans"), _without(scope, "spans"))
            spans = listed(scope.get("spans"), f"{inner}.spans")
            yield from _spans(spans, f"{inner}.spans", around, place, reject)


def _spans(
    spans: list[Json],
    where: str,
    around: tuple[JsonObject, JsonObject],
    place: str,
    reject: Callable[[ShapeFault], None] | None,
) -> Iterator[Span]:
    for at, value in enumerate(spans):
        try:
            span = read_span(value, f"{where}.{at}", around=around, place=place)
        except ShapeFault as fault:
            if reject is None:
                raise
            reject(fault)
        else:
            yield span


def read_span(
    value: Json, where: str, *, around: tuple[JsonObject, JsonObject], place: str = ""
) -> Span:
    """One span.

    Args:
        value: Its members.
        where: Where they stand in the document.
        around: What stands around it: resource and scope.
        place: Where the document stands in a file.

    Raises:
        ShapeFault: It is none.
    """
    members = as_object(value, where)
    raw, told = said_by(members.get("attributes"), f"{where}.attributes")
    status = members_of(members.get("status"), f"{where}.status")
    said = as_text(status.get("message", ""), f"{where}.status.message")
    for name in ("events", "links"):
        for at, item in enumerate(listed(members.get(name), f"{where}.{name}")):
            check_attributes(item, f"{where}.{name}.{at}")
    parent = members.get("parentSpanId")
    start = _time(members.get("startTimeUnixNano", 0), f"{where}.startTimeUnixNano")
    return Span(
        trace=_id(members.get("traceId"), f"{where}.traceId", _TRACE, 32),
        id=_id(members.get("spanId"), f"{where}.spanId", _SPAN, 16),
        parent=_id(parent, f"{where}.parentSpanId", _SPAN, 16) if parent not in (None, "") else "",
        name=as_text(members.get("name", ""), f"{where}.name"),
        start=start,
        end=max(start, _time(members.get("endTimeUnixNano", 0), f"{where}.endTimeUnixNano")),
        attributes=told,
        raw=raw,
        rest=_without(members, "attributes"),
        resource=around[0],
        scope=around[1],
        failure=said if status.get("code") in _FAILED else None,
        place=place,
        kind=_kind(told),
    )


def read_json(value: Json) -> Json:
    """What a text says, if it is JSON; else the value itself."""
    if not isinstance(value, str):
        return value
    try:
        return loads_strict(value)
    except (JsonError, RecursionError):
        return value


def check_attributes(value: Json, where: str) -> None:
    """Make sure that the attributes of an object are such.

    Raises:
        ShapeFault: They are not.
    """
    pairs(members_of(value, where).get("attributes"), f"{where}.attributes")


def _kind(attributes: dict[str, Json]) -> Kind | None:
    for name in OPERATION.spelled:
        value = attributes.get(name)
        if isinstance(value, str) and value in OPERATIONS:
            return OPERATIONS[value]
    return None


def _without(members: JsonObject, name: str) -> JsonObject:
    return {key: value for key, value in members.items() if key != name}


def _id(value: Json, where: str, form: re.Pattern[str], digits: int) -> str:
    text = as_text(value, where)
    if form.fullmatch(text) is None or not text.strip("0"):
        raise ShapeFault(f"`{where}` should be {digits} hexadecimal digits, not all of them 0")
    return text.lower()


def _time(value: Json, where: str) -> int:
    number = whole_number(value, where)
    if not 0 <= number < _UINT64:
        raise ShapeFault(f"`{where}` should be nanoseconds since the epoch, and is {number}")
    return number
