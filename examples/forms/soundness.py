"""Whether a form can be filled in: what contradicts itself is told with file and line."""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import replace
from typing import Any

from examples.forms.form import Form, Slot
from playhead.yaml import Document, Trail

_SAYS = {  # which types a keyword says something of
    "minimum": ("integer", "number"),
    "maximum": ("integer", "number"),
    "minLength": ("string",),
    "maxLength": ("string",),
    "pattern": ("string",),
    "format": ("string",),
    "items": ("array",),
}
_CHECKED = ("date", "email", "time")  # formats
_FORMATS = (*_CHECKED, "date-time", "duration", "hostname", "ipv4", "ipv6", "uri", "uuid")


def check_names(document: Document, parameters: dict[str, Any]) -> None:
    """The slots that conditions and `required` name are there, each once.

    Raises:
        FormFileError: They are not.
    """
    known = parameters["properties"]
    rules = enumerate(parameters.get("allOf") or ())
    lists: list[tuple[Trail, list[str]]] = [(("required",), parameters.get("required") or [])]
    for number, rule in rules:
        lists.append((("allOf", number, "if", "properties"), list(rule["if"]["properties"])))
        lists.append((("allOf", number, "then", "required"), rule["then"]["required"]))
        _check_rule(document, ("parameters", "allOf", number), rule, parameters)
    for trail, names in lists:
        for at, name in enumerate(names):
            if name not in known:
                where = ("parameters", *trail, name if trail[-1] == "properties" else at)
                raise document.fault(
                    where, f"there is no slot `{name}`: the slots are {', '.join(known)}"
                )
            if name in names[:at]:
                raise document.fault(
                    ("parameters", *trail, at), f"`{name}` stands twice: leave one"
                )


def _check_rule(
    document: Document, trail: Trail, rule: dict[str, Any], parameters: dict[str, Any]
) -> None:
    for slot, test in rule["if"]["properties"].items():
        where = (*trail, "if", "properties", slot)
        if ("const" in test) == ("enum" in test):
            raise document.fault(where, f"say of `{slot}` either a `const` or an `enum`")
    for at, name in enumerate(rule["then"]["required"]):
        if name in (parameters.get("required") or ()):
            raise document.fault(
                (*trail, "then", "required", at),
                f"`{name}` is required always and under a condition: leave one",
            )


def check_slot(document: Document, slot: Slot) -> None:
    """Some value fits a slot, and its choices, default and examples do.

    Raises:
        FormFileError: They do not, or a keyword says nothing of its type.
    """
    trail = ("parameters", "properties", slot.name)
    schema = slot.schema
    _check_keywords(document, slot, trail)
    _check_limits(document, slot, trail)
    if schema.get("enum") == []:
        raise document.fault(
            (*trail, "enum"), f"`{slot.name}` has nothing to choose from: list values, or leave out"
        )
    if "pattern" in schema:
        try:
            re.compile(schema["pattern"])
        except re.error as error:
            raise document.fault((*trail, "pattern"), f"no pattern: {error}") from None
    _check_enum(document, slot, trail)
    for key in ("default", "examples"):
        given = schema.get(key)
        for at, value in enumerate(given if key == "examples" and given else [given]):
            if value not in (None, "") and (fault := slot.fault(value)):
                where = (*trail, key, at) if key == "examples" else (*trail, key)
                raise document.fault(where, f"`{value}` does not fit `{slot.name}`: it {fault}")


def _check_keywords(document: Document, slot: Slot, trail: Trail) -> None:
    kind = slot.schema["type"]
    for keyword, kinds in _SAYS.items():
        if keyword in slot.schema and kind not in kinds:
            raise document.fault(
                (*trail, keyword),
                f"`{keyword}` says nothing of `{slot.name}`, which is of type {kind}: leave it "
                f"out, or make it {' or '.join(kinds)}",
            )
    form = slot.schema.get("format")
    if form is not None and form not in _FORMATS:
        near = difflib.get_close_matches(form, _FORMATS, n=1)
        said = f"do you mean `{near[0]}`?" if near else f"there are {', '.join(_FORMATS)}"
        raise document.fault((*trail, "format"), f"there is no format `{form}`: {said}")


def _check_limits(document: Document, slot: Slot, trail: Trail) -> None:
    schema = slot.schema
    for low, high in (("minimum", "maximum"), ("minLength", "maxLength")):
        if low not in schema or high not in schema:
            continue
        if schema[low] > schema[high]:
            raise document.fault(
                (*trail, low),
                f"nothing can be in `{slot.name}`: `{low}` {schema[low]} is above `{high}` "
                f"{schema[high]}",
            )
        if schema["type"] == "integer" and math.ceil(schema[low]) > schema[high]:
            raise document.fault(
                (*trail, low),
                f"nothing can be in `{slot.name}`: no whole number is from {schema[low]} to "
                f"{schema[high]}",
            )


def _check_enum(document: Document, slot: Slot, trail: Trail) -> None:
    kinds: dict[str, type | tuple[type, ...]] = {
        "string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list
    }  # fmt: skip
    kind = str(slot.schema["type"])
    rest = replace(slot, schema={k: v for k, v in slot.schema.items() if k != "enum"})
    for at, choice in enumerate(slot.choices):
        if not isinstance(choice, kinds[kind]):
            raise document.fault(
                (*trail, "enum", at),
                f"`{choice}` is no {kind}, as `type` says of `{slot.name}`: put it in quotes, or "
                "change the type",
            )
        if fault := rest.fault(choice):
            raise document.fault(
                (*trail, "enum", at),
                f"`{choice}` does not fit the rest of `{slot.name}`: it {fault}",
            )
        if choice in slot.choices[:at]:
            raise document.fault((*trail, "enum", at), f"`{choice}` stands twice: leave one")


def check_conditions(document: Document, form: Form) -> None:
    """Each condition can hold, and none waits for the slot that it decides on.

    Raises:
        FormFileError: One cannot, or waits.
    """
    rules: list[dict[str, Any]] = form.schema["parameters"].get("allOf") or []
    for number, rule in enumerate(rules):
        for name, test in rule["if"]["properties"].items():
            where = ("parameters", "allOf", number, "if", "properties", name)
            slot = form.slots[name]
            for value in [test["const"]] if "const" in test else test["enum"]:
                if fault := slot.fault(value):
                    raise document.fault(
                        where, f"this can never hold: `{name}` cannot be `{value}`, it {fault}"
                    )
            _check_circle(document, form, where, rule["then"]["required"], name)


def _check_circle(
    document: Document, form: Form, where: Trail, names: list[str], slot: str
) -> None:
    seen, ahead = set[str](), [slot]
    while ahead:
        name = ahead.pop()
        if name in names:
            raise document.fault(
                where, f"`{name}` applies only where it is filled itself: nobody can begin"
            )
        if name not in seen:
            seen.add(name)
            ahead += [condition.slot for condition in form.slots[name].conditions]
