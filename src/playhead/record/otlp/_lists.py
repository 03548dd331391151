"""Lists in JSON text that grow: of each text, only what no earlier one says is read.

Every span of a model call has its whole prompt, and most of that is the text of a span before it.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable

from playhead import conventions as names
from playhead.record._foreign import sorted_bytes
from playhead.record.otlp._span import Span, read_json
from playhead.record.otlp._values import encoded
from playhead.tape import Json

_LISTS = tuple(map(str, (
    names.INPUT_MESSAGES, names.OUTPUT_MESSAGES, names.SYSTEM_INSTRUCTIONS, names.TOOL_DEFINITIONS,
)))  # fmt: skip
_RECENT = 8  # texts of one name: of agents that take turns, each has its own
_SPACE = " \t\r\n"


class Lists:
    """Reads texts of one name, one after the other."""

    def __init__(self) -> None:
        self._recent: deque[tuple[str, list[Json]]] = deque(maxlen=_RECENT)

    def read(self, text: str) -> Json:
        """What a text says, as `read_json`; elements that were read before are the same objects."""
        for head, values in reversed(self._recent):
            if text.startswith(head):
                rest = text[len(head) :].strip(_SPACE)
                if rest == "]":
                    return values
                more = read_json(f"[{rest[1:]}") if rest[:1] == "," else None
                if isinstance(more, list) and more:
                    return self._kept(text, values + more)
        return self._kept(text, read_json(text))

    def _kept(self, text: str, value: Json) -> Json:
        if isinstance(value, list) and value and text.endswith("]"):
            self._recent.append((text[:-1], value))
        return value


def share_lists(spans: Iterable[Span]) -> None:
    """Read the lists of spans, so that what several say is in memory, and is read, once."""
    lists = {name: Lists() for name in _LISTS}
    for span in sorted(spans, key=lambda each: each.order):
        for name, read in lists.items():
            text = span.attributes.get(name)
            if isinstance(text, str) and not span.is_read(name):
                span.know(name, read.read(text))


class Identity:
    """Digests of spans, the same in whatever order and spelling they say things."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Json, str]] = {}

    def of(self, span: Span) -> str:
        """The digest of a span and what stands around it."""
        said: dict[str, Json] = {}
        for name, value in span.attributes.items():
            spelled = name in names.IN_JSON and isinstance(value, str)
            said[name] = self._listed(span.said(name)) if spelled else encoded(value)
        told: Json = [span.resource, span.scope, span.rest, said]
        return hashlib.sha256(sorted_bytes(told)).hexdigest()

    def _listed(self, value: Json) -> Json:
        return ["list", *map(self._digest, value)] if isinstance(value, list) else ["", value]

    def _digest(self, value: Json) -> str:
        """The digest of a value; that of one and the same object is not computed again."""
        known = self._known.get(id(value))
        if known is None or known[0] is not value:
            digest = hashlib.sha256(sorted_bytes(value)).hexdigest()
            known = self._known[id(value)] = (value, digest)
        return known[1]
