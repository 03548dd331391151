"""What a tape keeps of a span beside its steps, and the span that is made of both."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from playhead.conventions import IN_JSON
from playhead.record._differences import alike
from playhead.record._foreign import content_bytes
from playhead.record._losses import Losses
from playhead.record._shape import JsonObject
from playhead.record.otlp._attributes import told
from playhead.record.otlp._prompts import Cleaning
from playhead.record.otlp._span import Span
from playhead.record.otlp._values import attributes, encoded, said_by
from playhead.tape import Json

_NUMBER = re.compile(r"\.\d+\.")
_PLAIN = (  # members that hold nothing that anybody said
    "traceId", "spanId", "parentSpanId", "kind", "flags", "startTimeUnixNano", "endTimeUnixNano",
    "droppedAttributesCount", "droppedEventsCount", "droppedLinksCount", "timeUnixNano", "code",
)  # fmt: skip


@dataclass(slots=True)
class SpanNotes:
    """Makes the notes of one tape.

    What spans come from is told where it changes.

    Args:
        clean: What is made of contents.
        exact: Keep whatever a span made of steps would not have in the same way.
    """

    clean: Cleaning
    exact: bool
    losses: Losses
    _told: dict[str, bytes] = field(default_factory=dict)
    _alike: dict[str, tuple[Json, Json]] = field(default_factory=dict)  # the last ones that were

    def note(
        self,
        span: Span,
        made: Mapping[str, Json],
        *,
        left: Collection[str] | None = None,
        apart: bool = False,
    ) -> JsonObject:
        """What has no place on the span's steps.

        Args:
            span: The span.
            made: The attributes that the steps give back.
            left: Names of those that were not understood; all, if not given.
            apart: The prompt's instructions stand apart from its messages.
        """
        kept = self._kept(span, made, left)
        for name in kept:
            self.losses.keep(f"attribute `{_NUMBER.sub('.N.', name)}`")
        note: JsonObject = {"span": span.rest if self.exact else self._cleaned(span.rest)}
        if kept:
            note["attributes"] = kept
        gone: list[Json] = [name for name in made if name not in span.raw]
        if gone and self.exact:
            note["without"] = gone
        if apart:
            note["apart"] = True
        for name, members in (("resource", span.resource), ("scope", span.scope)):
            text = content_bytes(members)
            if self._told.get(name) != text:
                self._told[name] = text
                note[name] = members if self.exact else self._cleaned(members)
        return note

    def _kept(
        self, span: Span, made: Mapping[str, Json], left: Collection[str] | None
    ) -> JsonObject:
        if self.exact:
            return {
                name: value
                for name, value in span.raw.items()
                if name not in made or not self._equal(span, name, made[name])
            }
        values = span.attributes
        clean = self.clean.json({n: values[n] for n in (values if left is None else left)})
        return {name: encoded(value) for name, value in _members(clean).items()}

    def _equal(self, span: Span, name: str, made: Json) -> bool:
        """Whether an attribute says what would be written, in whatever spelling."""
        original = span.attributes[name]
        if name not in IN_JSON:
            if type(original) is str is type(made):
                return original == made
            return content_bytes(encoded(original)) == content_bytes(encoded(made))
        if not isinstance(original, str):
            return False
        said = span.said(name)
        known = self._alike.get(name)
        if known is not None and known[0] is said and known[1] is made:
            return True
        self._alike[name] = (said, made)
        if alike(said, made):
            return True
        del self._alike[name]
        return False

    def _cleaned(self, members: JsonObject) -> JsonObject:
        """Members of a span, or of what stands around it, with what they say made clean."""
        found: JsonObject = {}
        for name, value in members.items():
            if name in _PLAIN:
                found[name] = value
            elif name == "attributes":
                found[name] = attributes(_members(self.clean.json(said_by(value, name)[1])))
            elif isinstance(value, dict):
                found[name] = self._cleaned(value)
            elif isinstance(value, list):
                found[name] = [
                    self._cleaned(item) if isinstance(item, dict) else self.clean.json(item)
                    for item in value
                ]
            else:
                found[name] = self.clean.json(value)
        return found


def span_of(note: Mapping[str, Json], made: Mapping[str, Json]) -> JsonObject:
    """The span that steps and their note are.

    Args:
        note: The note.
        made: The attributes that the steps give.
    """
    kept, without = _members(note.get("attributes")), note.get("without")
    gone = set(map(str, without)) if isinstance(without, list) else set()
    written = {name: value for name, value in made.items() if name not in gone | kept.keys()}
    listed = told(written) + [{"key": key, "value": value} for key, value in kept.items()]
    span = _members(note.get("span"))
    return {**span, "attributes": listed} if listed else dict(span)


def _members(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}
