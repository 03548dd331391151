"""Attribute values of OTLP JSON as plain JSON, and back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from playhead.record._shape import JsonObject, ShapeFault, as_list, as_object, as_text, named
from playhead.tape import Json

_INT64 = 1 << 63


def decoded(value: Json, where: str) -> Json:
    """What an `AnyValue` says; null if it is empty.

    Raises:
        ShapeFault: It is none.
    """
    inner = as_object(value, where)
    text = inner.get("stringValue")
    if len(inner) == 1 and isinstance(text, str):
        return text
    found = [name for name in inner if name in _READERS]
    if len(found) > 1:
        raise ShapeFault(f"`{where}` has both `{found[0]}` and `{found[1]}`")
    if not found:
        return None
    return _READERS[found[0]](inner[found[0]], f"{where}.{found[0]}")


def listed(value: Json, where: str) -> list[Json]:
    """A list; an empty one for nothing."""
    return [] if value is None else as_list(value, where)


def members_of(value: Json, where: str) -> JsonObject:
    """An object; an empty one for nothing."""
    return {} if value is None else as_object(value, where)


def pairs(value: Json, where: str) -> dict[str, Json]:
    """Attributes, each with its `AnyValue`.

    Raises:
        ShapeFault: They are none, or one stands twice.
    """
    return said_by(value, where)[0]


def said_by(value: Json, where: str) -> tuple[dict[str, Json], dict[str, Json]]:
    """Attributes, each with its `AnyValue`, and each with what that says.

    Raises:
        ShapeFault: They are none, or one stands twice.
    """
    found: dict[str, Json] = {}
    said: dict[str, Json] = {}
    for at, item in enumerate(listed(value, where)):
        pair = as_object(item, f"{where}.{at}")
        key = as_text(pair.get("key", ""), f"{where}.{at}.key")
        if key in found:
            raise ShapeFault(f"`{where}` has the attribute `{key[:80]}` twice")
        found[key] = inner = pair.get("value", {})
        said[key] = decoded(inner, f"{where}.{at}.value")
    return found, said


def encoded(value: Json) -> JsonObject:
    """A JSON value as an `AnyValue`."""
    if value is None:
        return {}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return (
            {"intValue": str(value)} if -_INT64 <= value < _INT64 else {"stringValue": str(value)}
        )
    if isinstance(value, float):
        return {"doubleValue": value if math.isfinite(value) else str(value)}
    if isinstance(value, list):
        return {"arrayValue": {"values": [encoded(item) for item in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": attributes(value)}}
    return {"stringValue": value}


def attributes(values: Mapping[str, Json]) -> list[Json]:
    """Attributes as OTLP writes them."""
    return [{"key": str(name), "value": encoded(value)} for name, value in values.items()]


def whole_number(value: Json, where: str) -> int:
    """An integer, which JSON of protocol buffers writes as text.

    Raises:
        ShapeFault: It is none.
    """
    if isinstance(value, str) and value.removeprefix("-").isascii():
        digits = value.removeprefix("-")
        if digits.isdigit() and len(digits) <= 20:
            return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ShapeFault(f"`{where}` should be a whole number, and is {named(value)}")


def _bool(value: Json, where: str) -> Json:
    if isinstance(value, bool):
        return value
    raise ShapeFault(f"`{where}` should be true or false, and is {named(value)}")


def _double(value: Json, where: str) -> Json:
    if isinstance(value, str) and value in ("NaN", "Infinity", "-Infinity"):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise ShapeFault(f"`{where}` is beyond the range of a number") from None
    raise ShapeFault(f"`{where}` should be a number, and is {named(value)}")


def _array(value: Json, where: str) -> Json:
    values = as_object(value, where).get("values")
    return [
        decoded(item, f"{where}.values.{at}")
        for at, item in enumerate(listed(values, f"{where}.values"))
    ]


def _list(value: Json, where: str) -> Json:
    return said_by(as_object(value, where).get("values"), f"{where}.values")[1]


def _bytes(value: Json, where: str) -> Json:
    return {"bytesValue": as_text(value, where)}


_READERS: dict[str, Callable[[Json, str], Json]] = {
    "stringValue": as_text,
    "boolValue": _bool,
    "intValue": whole_number,
    "doubleValue": _double,
    "arrayValue": _array,
    "kvlistValue": _list,
    "bytesValue": _bytes,
}
