"""Forms and companies from YAML, faults told with file and line."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, JsonValue

from examples.forms.errors import FormError, FormFileError
from examples.forms.form import Company, Form
from examples.forms.soundness import check_conditions, check_names, check_slot
from playhead.yaml import FilePart, read_yaml

DATA = Path(__file__).parent / "data"
_SPLITS = ("train", "test")
_ABOUT = ("company.yaml", "description.txt")


class ItemPart(FilePart):
    """What each value of a list is, in JSON Schema."""

    description: str = ""
    type: Literal["string", "integer", "number", "boolean"]
    enum: list[JsonValue] | None = Field(None, min_length=1)


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
    items: ItemPart | None = None


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
    check_names(document, value["parameters"])
    form = Form.of(value)
    for slot in form.slots.values():
        check_slot(document, slot)
    check_conditions(document, form)
    return form


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
