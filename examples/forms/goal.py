"""What a simulated user wants: a form, and the values for it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from examples.forms.form import Company, Form, Slot
from playhead.tape import Json

_NAMES = ("Mia Larsen", "Tomas Brandt", "Ines Okafor", "Jonas Weber")
_TEXTS = ("blue folder", "north gate", "spring plan", "old harbour")


@dataclass(frozen=True, slots=True)
class Goal:
    """The request that a person wants to send.

    Args:
        function: The form.
        values: The values of its slots; an optional slot without one is left out.
        at_first: What the person says of a slot before they correct themselves.
    """

    function: str
    values: Mapping[str, Json]
    at_first: Mapping[str, Json] = field(default_factory=dict)

    def as_json(self) -> dict[str, Json]:
        """As it stands in prompts and files."""
        return {
            "function": self.function,
            "values": dict(self.values),
            "at_first": dict(self.at_first),
        }

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> Goal:
        """What `as_json` wrote."""
        return cls(members["function"], members["values"], members["at_first"])


def sample_goal(company: Company, seed: str) -> Goal:
    """A goal by chance: the same for the same seed."""
    rng = random.Random(seed)
    form = company.forms[rng.choice(sorted(company.forms))]
    return goal_for(form, rng)


def goal_for(form: Form, rng: random.Random) -> Goal:
    """Values for a form by chance."""
    values: dict[str, Json] = {}
    left_out = {s.name for s in form.slots.values() if not s.required and rng.random() < 0.5}
    for _ in range(len(form.slots)):  # a condition may depend on a slot that comes later
        for slot in form.applicable(values):
            if slot.name not in values and slot.name not in left_out:
                values[slot.name] = sample_value(slot, rng)
    values = {name: values[name] for name in form.slots if name in values}
    deciding = {condition.slot for slot in form.slots.values() for condition in slot.conditions}
    at_first: dict[str, Json] = {}
    for name in values:
        other = sample_value(form.slots[name], rng)
        if name not in deciding and other != values[name] and not at_first and rng.random() < 0.4:
            at_first[name] = other
    return Goal(form.name, values, at_first)


def sample_value(slot: Slot, rng: random.Random) -> Json:
    """A value that fits a slot, by chance."""
    schema = slot.schema
    if slot.choices:
        return rng.choice(slot.choices)
    if schema.get("examples"):
        example: Json = rng.choice(schema["examples"])
        return example
    match schema["type"]:
        case "boolean":
            return rng.random() < 0.5
        case "integer":
            low = int(schema.get("minimum", 1))
            return rng.randint(low, int(schema.get("maximum", low + 40)))
        case "number":
            low = schema.get("minimum", 1)
            number = round(rng.uniform(low, schema.get("maximum", low + 40)), 1)
            return float(max(number, low))
    match schema.get("format"):
        case "date":
            return f"2027-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        case "email":
            return f"{rng.choice(('mia', 'tomas', 'ines'))}@mail.example"
        case "time":
            return f"{rng.randint(8, 19):02}:30"
    if "name" in slot.label:
        return rng.choice(_NAMES)
    if "number" in slot.label or "code" in slot.label or slot.label.endswith(" id"):
        return f"K{rng.randint(10_000, 99_999)}"
    return f"{rng.choice(_TEXTS)} {rng.randint(2, 9)}"
