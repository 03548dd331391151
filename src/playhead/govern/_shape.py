"""Conditions on the shape of a JSON value, in JSON Schema (draft 2020-12): data, never code."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from playhead.errors import RunError
from playhead.govern._check import Check
from playhead.govern._extra import needed
from playhead.tape import Json

# Keywords by what stands in them: one schema, a list of them, schemas by name, anything else.
_ONE = frozenset([
    "additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then",
    "unevaluatedItems", "unevaluatedProperties",
])  # fmt: skip
_LISTS = frozenset(["allOf", "anyOf", "oneOf", "prefixItems"])
_MAPS = frozenset(["$defs", "dependentSchemas", "patternProperties", "properties"])
_PLAIN = frozenset([
    "$anchor", "$comment", "$id", "$ref", "$schema", "const", "default", "dependentRequired",
    "description", "enum", "examples", "exclusiveMaximum", "exclusiveMinimum", "format",
    "maxContains", "maxItems", "maxLength", "maxProperties", "maximum", "minContains", "minItems",
    "minLength", "minProperties", "minimum", "multipleOf", "pattern", "required", "title", "type",
    "uniqueItems",
])  # fmt: skip
_KNOWN = _ONE | _LISTS | _MAPS | _PLAIN


class Shape(Check):
    """A condition that a value fulfils or not.

    Two ways in which a schema says yes to what it never looked at are shut: the members that its
    `properties` name have to be there, and a keyword that does not exist is refused. Nothing is
    fetched for a `$ref`, and patterns take time linear in the text.

    Args:
        schema: A JSON Schema, an object.
        exact: With False, members that `properties` names may be absent, as JSON Schema has it.

    Raises:
        RunError: It is no JSON Schema.
        MissingExtraError: The extra `checks` is not installed.
    """

    def __init__(self, schema: Mapping[str, Json], *, exact: bool = True) -> None:
        if not isinstance(schema, Mapping):
            raise RunError(f"a check is a JSON Schema, an object, not {schema!r}")
        unknown = sorted({word for word in _keywords(schema) if word not in _KNOWN})
        if unknown:
            raise RunError(
                f"JSON Schema has no keyword {', '.join(f'`{word}`' for word in unknown)}: what a "
                "check says by it would count for nothing"
            )
        named = schema.get("properties")
        required = schema.get("required", [])
        whole = dict(schema)
        if exact and isinstance(named, Mapping) and isinstance(required, list):
            whole |= {"required": [*required, *(n for n in named if n not in required)]}
            whole.setdefault("type", "object")
        self.schema = dict(schema)
        self._valid = _compiled(_text(whole))

    def answer(self, value: Json) -> bool | None:
        """Whether the value fulfils it; None if that could not be found out."""
        return _answer(self._valid, value)

    def fault(self, value: Json) -> str | None:
        """See `Check.fault`: what is told is the first thing that does not fit, and where."""
        found = self.faults(value)
        if not found:
            return None
        path, message = found[0]
        return f"at `{path}`: {message}" if path else message

    def faults(self, value: Json) -> list[tuple[str, str]]:
        """All that does not fit: where, as a JSON Pointer, and what."""
        answer = self.answer(value)
        if answer is True:
            return []
        if answer is None:
            return [("", "it could not be found out whether the value has this shape")]
        return [
            ("".join(f"/{part}" for part in error.instance_path), _told(error.message))
            for error in self._valid.iter_errors(value)
        ]

    def describe(self) -> dict[str, Json]:
        """See `Check.describe`."""
        return {"shape": self.schema}


def fitting(arguments: Json, schema: Mapping[str, Json]) -> Json | None:
    """Arguments as a tool takes them, with the defaults of its schema; None if they do not fit it.

    What a tool makes of arguments that do not fit its own schema, nobody can say beforehand.

    Args:
        arguments: Of the call.
        schema: The tool's parameters.

    Raises:
        MissingExtraError: The extra `checks` is not installed.
    """
    try:
        valid = _compiled(_text(schema))
    except RunError:  # others' schemas may be anything
        return None
    if not isinstance(arguments, dict) or _answer(valid, arguments) is not True:
        return None
    members = schema.get("properties")
    known = members.items() if isinstance(members, Mapping) else ()
    defaults = {n: m["default"] for n, m in known if isinstance(m, Mapping) and "default" in m}
    return {**defaults, **arguments}


def _keywords(schema: Mapping[str, Any]) -> Iterator[str]:
    """All words that stand where a schema has its keywords."""
    for word, value in schema.items():
        yield word
        inner: list[Any] = []
        if word in _ONE:
            inner = [value]
        elif word in _LISTS and isinstance(value, list):
            inner = value
        elif word in _MAPS and isinstance(value, Mapping):
            inner = list(value.values())
        for each in inner:
            if isinstance(each, Mapping):
                yield from _keywords(each)


def _text(schema: Mapping[str, Json]) -> str:
    try:
        return json.dumps(schema, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise RunError(f"a check is a JSON Schema: {error}") from None


def _told(message: str) -> str:
    """What does not fit, with a large value cut: it stands first, and what was wanted last."""
    return message if len(message) <= 300 else f"{message[:100]}…{message[-200:]}"


@lru_cache(maxsize=256)
def _compiled(text: str) -> Any:  # noqa: ANN401  (a class of an extra)
    engine = needed("jsonschema_rs", install='"playhead[checks]"')
    try:
        return engine.validator_for(
            text,
            validate_formats=True,
            ignore_unknown_formats=False,
            pattern_options=engine.RegexOptions(),
            offline=True,
        )
    except (ValueError, engine.ReferencingError) as error:
        reason = str(error).partition("\n")[0]
        raise RunError(f"a check is a JSON Schema: {reason}") from None


def _answer(valid: Any, value: Json) -> bool | None:  # noqa: ANN401
    """The validator's yes or no; it is asked about JSON only, as it says yes to other things."""
    try:
        json.dumps(value, allow_nan=False)
        answer = valid.is_valid(value)
    except Exception:  # whatever the engine makes of a strange value: there is no answer
        return None
    return answer if isinstance(answer, bool) else None
