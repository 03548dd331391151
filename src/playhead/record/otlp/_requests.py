"""Export requests of a file, of whatever length: exporters write one a line, or one of all.

A line is parsed as one. What has no end near by is read span by span, so that the largest thing in
memory is a span.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from playhead.errors import JsonError
from playhead.record._file import ForeignFile, Scan
from playhead.record._shape import JsonObject, ShapeFault, as_object
from playhead.record.otlp._sorter import Around, Sorter
from playhead.record.otlp._span import check_attributes, read_span, read_spans
from playhead.record.otlp._values import listed
from playhead.tape import Json, loads_strict

_LINE = 4 * 2**20  # bytes of a line that is parsed as one


def read_requests(file: ForeignFile, sorter: Sorter) -> None:
    """Give a sorter the spans of a file.

    Raises:
        ForeignFileError: Something in it is not as it should be.
    """
    scan = file.scan()
    lined = not scan.begins_array()
    listed, number = not lined, 0
    while scan.more(listed=listed, number=number):
        request = _parsed(scan.rest_of_line(_LINE)) if lined else None
        lined = request is not None  # one that is no value is one of several lines, or wrong
        reading = _Reading(file, scan, sorter, number)
        if request is None:
            reading.streamed()
        else:
            reading.whole(request)
        file.tell(file.file.tell())
        number += 1


def _parsed(line: bytes) -> tuple[Json, int] | None:
    with contextlib.suppress(JsonError, RecursionError):
        return loads_strict(line), len(line)
    return None


class _Reading:
    """One request that is being read."""

    def __init__(self, file: ForeignFile, scan: Scan, sorter: Sorter, number: int) -> None:
        self._file, self._scan, self._sorter = file, scan, sorter
        self._number = number

    @property
    def _place(self) -> str:
        return f"record {self._number} (line {self._scan.line})"

    def whole(self, request: tuple[Json, int]) -> None:
        """Take the spans of a request that was parsed."""
        value, length = request
        place, around = 0, None
        told = self._place
        try:
            for span in read_spans(value, place=told):
                if around is None or around[1] is not span.scope:
                    place, around = self._sorter.place(), (span.resource, span.scope)
                    self._sorter.enclose(place, around)
                self._sorter.add(span, place)
        except ShapeFault as fault:
            raise self._file.fault(told, str(fault)) from None
        self._scan.take(length)

    def streamed(self) -> None:
        """Take the spans one by one, while their members are read."""
        try:
            for name in self._members("request"):
                if name == "resourceSpans":
                    for at in self._elements(name):
                        self._resource(f"{name}.{at}")
                else:
                    self._value()
        except ShapeFault as fault:
            raise self._file.fault(self._place, str(fault)) from None

    def _resource(self, where: str) -> None:
        rest: JsonObject = {}
        scopes: list[tuple[int, JsonObject]] = []
        for name in self._members(where):
            if name == "scopeSpans":
                for at in self._elements(f"{where}.{name}"):
                    scopes.append(self._scope(f"{where}.{name}.{at}"))
            else:
                rest[name] = self._value()
        check_attributes(rest.get("resource"), f"{where}.resource")
        for place, scope in scopes:
            self._sorter.enclose(place, (rest, scope))

    def _scope(self, where: str) -> tuple[int, JsonObject]:
        rest: JsonObject = {}
        place = self._sorter.place()
        around: Around = ({}, {})  # not known before its end
        for name in self._members(where):
            if name == "spans":
                for at in self._elements(f"{where}.{name}"):
                    told = self._place
                    span = read_span(
                        self._value(), f"{where}.{name}.{at}", around=around, place=told
                    )
                    self._sorter.add(span, place)
            else:
                rest[name] = self._value()
        check_attributes(rest.get("scope"), f"{where}.scope")
        return place, rest

    def _members(self, where: str) -> Iterator[str]:
        """The names of an object's members; who asks for the next one has taken the value."""
        if self._scan.first() != b"{":
            as_object(self._value(), where)
        return self._scan.members(self._number)

    def _elements(self, where: str) -> Iterator[int]:
        """The numbers of a list's elements; who asks for the next one has taken the value."""
        if self._scan.first() == b"[":
            return self._scan.elements(self._number)
        listed(self._value(), where)  # nothing is an empty list
        return iter(())

    def _value(self) -> Json:
        place = self._place
        return self._file.parsed(self._scan.value(self._number)[0], place)
