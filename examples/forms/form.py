"""Forms: functions whose parameters are slots that a person fills in a conversation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from examples.forms.values import same_value, write_value
from playhead.tape import Json

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?")


@dataclass(frozen=True, slots=True)
class Condition:
    """A slot applies only where another one has one of these values."""

    slot: str
    values: tuple[Json, ...]

    def holds(self, filled: Mapping[str, Json]) -> bool:
        """Whether it holds for what is filled so far."""
        if self.slot not in filled:
            return False
        return any(same_value(filled[self.slot], value) for value in self.values)


@dataclass(frozen=True, slots=True)
class Slot:
    """One parameter of a form.

    Args:
        name: As the function knows it.
        schema: Its JSON Schema.
        required: Whether the request cannot be sent without it, where it applies.
        conditions: It applies where one of these holds; always if there are none.
    """

    name: str
    schema: Mapping[str, Any]
    required: bool
    conditions: tuple[Condition, ...] = ()

    @property
    def label(self) -> str:
        """Its name in words."""
        return re.sub(r"[_\s]+", " ", self.name).strip().lower()

    @property
    def choices(self) -> tuple[Json, ...]:
        """The values to choose from, if it has a list of them."""
        return tuple(self.schema.get("enum") or ())

    @property
    def is_closed(self) -> bool:
        """Whether its schema alone decides what is valid: prose cannot forbid more."""
        return bool(self.choices) or "pattern" in self.schema or self.schema["type"] == "boolean"

    def applies(self, filled: Mapping[str, Json]) -> bool:
        """Whether it belongs to the request, as far as that is filled."""
        return not self.conditions or any(each.holds(filled) for each in self.conditions)

    def fault(self, value: Json) -> str | None:
        """Why a value does not fit, in words that complete "it …"; None if it fits."""
        schema, kind = self.schema, self.schema.get("type", "string")
        if self.choices:
            fits = any(value == choice for choice in self.choices)
            return None if fits else f"has to be one of {', '.join(map(write_value, self.choices))}"
        if kind == "boolean":
            return None if isinstance(value, bool) else "has to be yes or no"
        if kind in ("integer", "number"):
            return _number_fault(value, schema, whole=kind == "integer")
        if kind == "array":
            return None if isinstance(value, list | str) else "has to be a list"
        return _text_fault(value, schema)


def _number_fault(value: Json, schema: Mapping[str, Any], *, whole: bool) -> str | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or (whole and value != int(value)):  # type: ignore[arg-type]
        return "has to be a whole number" if whole else "has to be a number"
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and value < low:
        return f"has to be {write_value(low)} or more"
    if high is not None and value > high:
        return f"has to be {write_value(high)} or less"
    return None


def _text_fault(value: Json, schema: Mapping[str, Any]) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return "has to be a text"
    if len(value) > schema.get("maxLength", len(value)):
        return f"has to have at most {schema['maxLength']} characters"
    if len(value) < schema.get("minLength", 0):
        return f"has to have at least {schema['minLength']} characters"
    if (pattern := schema.get("pattern")) and not re.search(pattern, value):
        return "has to be written in the way of " + str(pattern).strip("^$")
    match schema.get("format"):
        case "date":
            return None if _is_date(value) else "has to be a date such as 2027-05-30"
        case "email":
            return None if _EMAIL.fullmatch(value) else "has to be an e-mail address"
        case "time":
            return None if _TIME.fullmatch(value) else "has to be a time such as 14:30"
    return None


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class DocNote:
    """Something that the docs of a function tell beside its slots."""

    about: str
    text: str


@dataclass(frozen=True, slots=True)
class Form:
    """A function with its slots and docs."""

    name: str
    description: str
    slots: Mapping[str, Slot]
    docs: tuple[DocNote, ...] = ()
    schema: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def label(self) -> str:
        """Its name in words."""
        spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|[_\s]+", " ", self.name)
        return re.sub(r"\s+", " ", spaced).strip().lower()

    def applicable(self, filled: Mapping[str, Json]) -> list[Slot]:
        """The slots that belong to the request, as far as it is filled."""
        return [slot for slot in self.slots.values() if slot.applies(filled)]

    def missing(self, filled: Mapping[str, Json]) -> list[Slot]:
        """The required slots that have no value yet."""
        return [s for s in self.applicable(filled) if s.required and s.name not in filled]

    def open_slots(self, filled: Mapping[str, Json], skipped: frozenset[str]) -> list[Slot]:
        """The slots that are neither filled nor skipped."""
        return [
            s for s in self.applicable(filled) if s.name not in filled and s.name not in skipped
        ]

    def told(self) -> dict[str, Any]:
        """The form as an agent is told of it: without examples, which would be answers."""
        slots = {
            name: {key: value for key, value in slot.schema.items() if key != "examples"}
            for name, slot in self.slots.items()
        }
        parameters = {**self.schema["parameters"], "properties": slots}
        docs = [{"about": note.about, "text": note.text} for note in self.docs]
        told = {"name": self.name, "description": self.description, "parameters": parameters}
        return {**told, "docs": docs} if docs else told

    @classmethod
    def of(cls, schema: Mapping[str, Any]) -> Form:
        """The form that a schema, known to be sound, describes."""
        parameters = schema["parameters"]
        required = set(parameters.get("required") or ())
        conditions = conditions_of(parameters)
        slots = {
            name: Slot(name, each, name in required or name in conditions, conditions.get(name, ()))
            for name, each in parameters["properties"].items()
        }
        docs = tuple(DocNote(note["about"], note["text"]) for note in schema.get("docs") or ())
        return cls(schema["name"], schema.get("description") or "", slots, docs, schema)


def conditions_of(parameters: Mapping[str, Any]) -> dict[str, tuple[Condition, ...]]:
    """By slot, where it applies: JSON Schema's `allOf` of `if`, `then` with `required`."""
    found: dict[str, tuple[Condition, ...]] = {}
    for rule in parameters.get("allOf") or ():
        for slot, test in rule["if"]["properties"].items():
            values = (test["const"],) if "const" in test else tuple(test["enum"])
            for name in rule["then"]["required"]:
                found[name] = (*found.get(name, ()), Condition(slot, values))
    return found


@dataclass(frozen=True, slots=True)
class Company:
    """A company and its forms."""

    name: str
    description: str
    forms: Mapping[str, Form]
    split: str = ""
    folder: Path | None = field(default=None, compare=False)

    @property
    def candidates(self) -> list[dict[str, str]]:
        """Its functions, as an agent is told of them."""
        return [
            {"function": form.name, "short_description": form.description}
            for form in self.forms.values()
        ]
