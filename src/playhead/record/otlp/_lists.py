"""Lists in JSON text that grow: of each text, only what no earlier one says is read.

Every span of a model call has its whole prompt, and most of that is the text of a span before it.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from operator import is_
from typing import Generic, TypeVar

from playhead import conventions as names
from playhead.record._foreign import sorted_bytes
from playhead.record.otlp._span import Span, read_json
from playhead.record.otlp._values import encoded
from playhead.tape import Json

A = TypeVar("A")
B = TypeVar("B")

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


class Each(Generic[A, B]):
    """Makes something of each element of lists, once of each object.

    Of a list that goes on from the one before, by the very same objects, only the rest is looked
    at.

    Args:
        make: What is made of one.
    """

    def __init__(self, make: Callable[[A], B]) -> None:
        self._make = make
        self._known: dict[int, tuple[A, B]] = {}
        self._before: tuple[Sequence[A], tuple[B, ...]] = ((), ())

    def of(self, listed: Sequence[A]) -> tuple[B, ...]:
        """What is made of each."""
        before, made = self._before
        if len(listed) < len(before):
            return tuple(map(self._one, listed))
        if not all(map(is_, before, listed)):
            made = ()
        made += tuple(map(self._one, islice(listed, len(made), None)))
        self._before = (listed, made)
        return made

    def _one(self, value: A) -> B:
        known = self._known.get(id(value))
        if known is None or known[0] is not value:
            known = self._known[id(value)] = (value, self._make(value))
        return known[1]


class Identity:
    """Digests of spans, the same in whatever order and spelling they say things."""

    def __init__(self) -> None:
        self._digests: dict[str, Each[Json, str]] = {}

    def of(self, span: Span) -> str:
        """The digest of a span and what stands around it."""
        said: dict[str, Json] = {}
        for name, value in span.attributes.items():
            spelled = name in names.IN_JSON and isinstance(value, str)
            said[name] = self._listed(name, span.said(name)) if spelled else encoded(value)
        told: Json = [span.resource, span.scope, span.rest, said]
        return hashlib.sha256(sorted_bytes(told)).hexdigest()

    def _listed(self, name: str, value: Json) -> Json:
        if not isinstance(value, list):
            return ["", value]
        return ["list", *self._digests.setdefault(name, Each(_digest)).of(value)]


def _digest(value: Json) -> str:
    return hashlib.sha256(sorted_bytes(value)).hexdigest()
