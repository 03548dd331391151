"""The attributes of a span by the rows of the table, whatever names they have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeGuard, TypeVar

from playhead.conventions import Name
from playhead.record._shape import JsonObject
from playhead.record.otlp._span import Span
from playhead.tape import Json

N = TypeVar("N")

_MOST_DIGITS = 6  # of a number within a name


class Fields:
    """Reads attributes, and remembers which were understood.

    Args:
        span: The span.
    """

    def __init__(self, span: Span) -> None:
        self._span = span
        self._attributes = span.attributes
        self.used: set[str] = set()

    def text(self, name: Name) -> str | None:
        """A text that is not empty."""
        for at in name.spelled:
            value = self._attributes.get(at)
            if value and isinstance(value, str):
                self.used.add(at)
                return value
        return None

    def whole(self, name: Name) -> int | None:
        """A whole number; some exporters write it as one that is not."""
        for value in self._values(name):
            if isinstance(value, float) and value.is_integer():
                return self._used(int(value))
            if isinstance(value, int) and not isinstance(value, bool):
                return self._used(value)
        return None

    def number(self, name: Name) -> float | int | None:
        """A number."""
        for value in self._values(name):
            if isinstance(value, int | float) and not isinstance(value, bool):
                return self._used(value)
        return None

    def first_text(self, name: Name) -> str | None:
        """The first one of some texts."""
        for value in self._values(name):
            listed = value if isinstance(value, list) else [value]
            if listed and isinstance(listed[0], str) and listed[0]:
                self.used.add(self._at)
                return listed[0]
        return None

    def json(self, name: Name) -> tuple[bool, Json]:
        """Whether there is a value, and the value: what its text says, where that is JSON."""
        for _ in self._values(name):
            self.used.add(self._at)
            return True, self._span.said(self._at)
        return False, None

    def objects(self, name: Name) -> list[JsonObject] | None:
        """Objects, listed in JSON; None if there are none."""
        for _ in self._values(name):
            listed = self._span.said(self._at)
            if isinstance(listed, list) and _all_objects(listed):
                self.used.add(self._at)
                return listed
        return None

    def flat(self, name: Name) -> list[JsonObject]:
        """Objects that are flattened into names with numbers: `NAME.0.member`."""
        for prefix in name.also:
            found = numbered(self._attributes, prefix)
            if found:
                start = f"{prefix}."
                self.used.update(n for n in self._attributes if n.startswith(start))
                return found
        return []

    def drop(self, name: str) -> None:
        """Take an attribute for understood: it says again what others say."""
        if name in self._attributes:
            self.used.add(name)

    @property
    def left(self) -> list[str]:
        """The names of those that were not understood."""
        return [name for name in self._attributes if name not in self.used]

    def _values(self, name: Name) -> Iterator[Json]:
        for at in name.spelled:
            value = self._attributes.get(at)
            if value is not None:
                self._at = at
                yield value

    def _used(self, value: N) -> N:
        self.used.add(self._at)
        return value


def _all_objects(listed: list[Json]) -> TypeGuard[list[JsonObject]]:
    return set(map(type, listed)) <= {dict}


def numbered(values: Mapping[str, Json], prefix: str) -> list[JsonObject]:
    """What stands at `PREFIX.0.…`, `PREFIX.1.…`: an object each, in order."""
    found: dict[int, JsonObject] = {}
    start = f"{prefix}."
    for name, value in values.items():
        if name.startswith(start):
            digits, _, rest = name[len(start) :].partition(".")
            if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS:
                found.setdefault(int(digits), {})[rest] = value
    return [found[at] for at in sorted(found)]
