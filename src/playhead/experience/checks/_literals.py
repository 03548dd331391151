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
_FORMS = (  # of texts: dates, moments, times, addresses, numbers
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?.{0,16}",
    r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?",
    r"[^@ ]+@[^@ ]+",
    r"[0-9]+",
)
_LONGEST_NAME = 60
_DATA = re.compile(r"[0-9]{2,}|[@ /]")  # in a name: it is no name of a member
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


def shape_of(
    values: Sequence[Json], *, open_ended: bool = True, nullable: bool = False, deep: int = _DEEP
) -> Json:
    """A JSON Schema that these values fulfil: their types, and the members that all have.

    Args:
        values: At least one.
        open_ended: Whether objects may have further members.
        nullable: Whether members may be null, as what is not known may be in some row or other.
        deep: How many levels are looked at.
    """
    schema: dict[str, Json] = {}
    types = sorted({type_name(value) for value in values} | ({"null"} if nullable else set()))
    schema["type"] = types[0] if len(types) == 1 else list[Json](types)
    texts = [value for value in values if isinstance(value, str)]
    if (form := form_of(texts)) is not None:
        schema["pattern"] = f"^{form}$"
    objects = [value for value in values if isinstance(value, dict)]
    rows = [row for value in values if isinstance(value, list) for row in value]
    if deep and objects and is_map(objects):
        held = [each for value in objects for each in value.values()]
        schema["additionalProperties"] = shape_of(held, nullable=nullable, deep=deep - 1)
    elif deep and objects:
        names = list(dict.fromkeys(name for value in objects for name in value))[:_MOST]
        schema["properties"] = {
            name: shape_of(
                [value[name] for value in objects if name in value],
                nullable=nullable,
                deep=deep - 1,
            )
            for name in names
        }
        schema["required"] = list[Json](common(objects)[:_MOST])
        if not open_ended:
            schema["additionalProperties"] = False
    if deep and rows:
        schema["items"] = shape_of(rows, nullable=nullable, deep=deep - 1)
    return schema


def is_map(objects: Sequence[Mapping[str, Json]]) -> bool:
    """Whether objects have data for names, such as dates or ids, rather than members."""
    names = {name for value in objects for name in value}
    return sum(_DATA.search(name) is not None for name in names) * 2 > len(names)


def form_of(texts: Sequence[str]) -> str | None:
    """A pattern that texts of one form share: dates, times, numbers, names with digits in them.

    None where they have no form, or several: what is free text has none.
    """
    if not texts:
        return None
    if known := next((f for f in _FORMS if all(re.fullmatch(f, text) for text in texts)), None):
        return known
    forms = {_own_form(text) for text in texts}
    return next(iter(forms)) if len(forms) == 1 else None


def _own_form(text: str) -> str | None:
    """The form of an identifier such as `card_4421486`: classes of what stands between signs."""
    if len(text) > _LONGEST_NAME or not re.fullmatch(r"(?=.*[0-9])[A-Za-z0-9_:./#-]+", text):
        return None
    parts = re.split(r"([_:./#-])", text)
    return "".join(re.escape(p) if number % 2 else _class(p) for number, p in enumerate(parts))


def _class(part: str) -> str:
    return next((f for f in ("[0-9]+", "[a-z]+") if re.fullmatch(f, part)), "[A-Za-z0-9]*")


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
