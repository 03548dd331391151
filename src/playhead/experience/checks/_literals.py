"""CEL and JSON Schema, written from values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from playhead.tape import Json

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = frozenset([
    "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in",
    "let", "loop", "namespace", "null", "package", "return", "true", "var", "void", "while",
])  # fmt: skip
_DEEP = 4
_MOST = 40  # members that a shape tells


def cel(value: Json) -> str:
    """A value as CEL says it."""
    return json.dumps(value, ensure_ascii=False)


def member(of: str, name: str) -> str:
    """A member of a value in CEL."""
    if _IDENTIFIER.fullmatch(name) and name not in _RESERVED:
        return f"{of}.{name}"
    return f"{of}[{cel(name)}]"


def shape_of(values: Sequence[Json], *, open_ended: bool = True, deep: int = _DEEP) -> Json:
    """A JSON Schema that these values fulfil: their types, and the members that all have.

    Args:
        values: At least one.
        open_ended: Whether objects may have further members.
        deep: How many levels are looked at.
    """
    schema: dict[str, Json] = {}
    types = sorted({type_name(value) for value in values})
    schema["type"] = types[0] if len(types) == 1 else list[Json](types)
    objects = [value for value in values if isinstance(value, dict)]
    rows = [row for value in values if isinstance(value, list) for row in value]
    if deep and objects:
        names = list(dict.fromkeys(name for value in objects for name in value))[:_MOST]
        schema["properties"] = {
            name: shape_of([value[name] for value in objects if name in value], deep=deep - 1)
            for name in names
        }
        schema["required"] = list[Json](common(objects)[:_MOST])
        if not open_ended:
            schema["additionalProperties"] = False
    if deep and rows:
        schema["items"] = shape_of(rows, deep=deep - 1)
    return schema


def common(objects: Iterable[Mapping[str, Json]]) -> list[str]:
    """The names of members that all objects have, in the order of the first."""
    first, *rest = objects
    return [name for name in first if all(name in other for other in rest)]


def type_name(value: Json) -> str:
    """The type of a value, as JSON Schema names it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"
