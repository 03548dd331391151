"""Forms and companies from YAML, faults told with file and line."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, JsonValue

from examples.forms.errors import FormError, FormFileError
from examples.forms.form import Company, Form, Slot
from playhead.yaml import Document, FilePart, Trail, read_yaml

DATA = Path(__file__).parent / "data"
_SPLITS = ("train", "test")
_ABOUT = ("company.yaml", "description.txt")


class SlotPart(FilePart):
    """A slot, in JSON Schema."""

    description: str = ""
    type: Literal["string", "integer", "number", "boolean", "array"]
    format: str | None = None
    enum: list[JsonValue] | None = None
    pattern: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    minLength: int | None = Field(None, ge=0)
    maxLength: int | None = Field(None, ge=0)
    max_length: int | None = None
    default: JsonValue = None
    examples: list[JsonValue] | None = None
    items: dict[str, JsonValue] | None = None


class TestPart(FilePart):
    """The value that a condition asks for."""

    const: JsonValue = None
    enum: list[JsonValue] | None = None


class IfPart(FilePart):
    """When slots apply."""

    properties: dict[str, TestPart] = Field(min_length=1, max_length=1)
    required: list[str] = Field(default_factory=list)


class ThenPart(FilePart):
    """Which slots apply."""

    required: list[str] = Field(min_length=1)


class RulePart(FilePart):
    """A condition, written in JSON Schema's way."""

    if_: IfPart = Field(alias="if")
    then: ThenPart


class ParametersPart(FilePart):
    """The slots of a form."""

    type: Literal["object"]
    properties: dict[str, SlotPart] = Field(min_length=1)
    required: list[str] = Field(default_factory=list)
    allOf: list[RulePart] = Field(default_factory=list)


class DocPart(FilePart):
    """A note of the docs."""

    about: str = Field(min_length=1)
    text: str = Field(min_length=1)


class FormPart(FilePart):
    """A form: a function, as models are told of it."""

    name: str = Field(min_length=1)
    description: str = ""
    docs: list[DocPart] = Field(default_factory=list)
    parameters: ParametersPart
    return_value: dict[str, JsonValue] | None = None
    definitions: dict[str, JsonValue] | None = None


class CompanyPart(FilePart):
    """What a company is."""

    name: str = Field(min_length=1)
    description: str = ""


def load_form(path: Path) -> Form:
    """A form from its file.

    Raises:
        FormFileError: It cannot be read, or no request could ever satisfy it.
    """
    document = read_yaml(path, error=FormFileError)
    document.validated(FormPart)
    value: Any = document.value
    _check_names(document, value["parameters"])
    form = Form.of(value)
    for slot in form.slots.values():
        _check_slot(document, slot)
    _check_conditions(document, form)
    return form


def _check_names(document: Document, parameters: dict[str, Any]) -> None:
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


def _check_slot(document: Document, slot: Slot) -> None:
    trail = ("parameters", "properties", slot.name)
    schema = slot.schema
    for low, high in (("minimum", "maximum"), ("minLength", "maxLength")):
        if low in schema and high in schema and schema[low] > schema[high]:
            raise document.fault(
                (*trail, low),
                f"nothing can be in `{slot.name}`: `{low}` {schema[low]} is above `{high}` "
                f"{schema[high]}",
            )
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


def _check_enum(document: Document, slot: Slot, trail: Trail) -> None:
    kinds: dict[str, type | tuple[type, ...]] = {
        "string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list
    }  # fmt: skip
    kind = str(slot.schema["type"])
    for at, choice in enumerate(slot.choices):
        if not isinstance(choice, kinds[kind]):
            raise document.fault(
                (*trail, "enum", at),
                f"`{choice}` is no {kind}, as `type` says of `{slot.name}`: put it in quotes, or "
                "change the type",
            )
        if choice in slot.choices[:at]:
            raise document.fault((*trail, "enum", at), f"`{choice}` stands twice: leave one")


def _check_conditions(document: Document, form: Form) -> None:
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


def load_company(folder: Path) -> Company:
    """A company: a folder with a file for each form, and one that says what it is.

    Raises:
        FormFileError: A file cannot be read, two forms have one name, or there is no form.
    """
    forms: dict[str, Form] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name in _ABOUT:
            continue
        form = load_form(path)
        if form.name in forms:
            raise FormFileError(f"{path}:1: there are two forms `{form.name}`: rename one")
        forms[form.name] = form
    if not forms:
        raise FormFileError(f"{folder}: no forms here: give the folder of a company")
    name, description = _about(folder)
    return Company(name, description, forms, folder.parent.name, folder)


def _about(folder: Path) -> tuple[str, str]:
    if (folder / _ABOUT[0]).exists():
        part = read_yaml(folder / _ABOUT[0], error=FormFileError).validated(CompanyPart)
        return part.name, part.description
    text = folder / _ABOUT[1]
    return folder.name, text.read_text(encoding="utf-8") if text.exists() else ""


@cache
def companies(split: str | None = None) -> dict[str, Company]:
    """The companies that come along, by folder name: of `train`, of `test`, or all.

    Raises:
        FormError: There is no such split.
    """
    if split not in (None, *_SPLITS):
        raise FormError(f"there is no split `{split}`: `train` or `test`")
    splits = [split] if split else _SPLITS
    return {
        folder.name: load_company(folder)
        for each in splits
        for folder in sorted((DATA / each).iterdir())
        if folder.is_dir()
    }
