"""The rule model of the simulated user."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from examples.forms.form import Form, Slot
from examples.forms.rules._errors import Chance
from examples.forms.rules._model import RuleModel
from examples.forms.values import MONTHS, same_value, write_value
from playhead.errors import ModelRequestError
from playhead.tape import Json

_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_STRAYS = (
    "By the way, I watched a wonderful film yesterday.",
    "I wonder who will win the football match tonight.",
    "My neighbour plays the trumpet every evening, it is terrible.",
)
_BEYOND = (
    "Who is the director of your company?",
    "Can you recommend me a good restaurant?",
    "How many people work for you?",
)
_ELSEWHERE = (
    "I would like to order a pizza with olives.",
    "Please sell me two shares of a gold mine.",
    "I need a haircut.",
)
_DETAILS = (
    ("lucky charm", "a silver horseshoe"),
    ("favourite song", "an old waltz"),
    ("shoe lace", "purple"),
)


class RuleUserModel(RuleModel):
    """Says what a user says, by rules: the behaviour that the brief names, in one of some ways."""

    default_name: ClassVar[str] = "rule-user"

    def answer(self, task: str, sections: dict[str, Any], chance: Chance) -> str:
        """See `RuleModel.answer`."""
        if task != "speak":
            raise ModelRequestError(f"`{self.name}` does not know the task `{task}`")
        rng = chance.rng("user")
        name = sections["Behaviour"]["name"]
        return _SAYINGS[name](_Brief(sections), rng)


class _Brief:
    """What the user is told, as its sayings need it."""

    def __init__(self, sections: Mapping[str, Any]) -> None:
        self.goal = sections["Goal"]
        self.company = sections["Company"]
        self.filled: dict[str, Json] = sections.get("Filled", {})
        self.form = Form.of(sections["Form"]) if "Form" in sections else None
        self.asked: list[str] = sections.get("Asked", {}).get("for", [])

    @property
    def slot(self) -> Slot:
        """The slot that is asked for first."""
        assert self.form is not None
        return self.form.slots[self.asked[0]]

    def value(self, name: str) -> Json:
        """What the user says of a slot: their first thought, if they have not said it yet."""
        known: Json = self.goal["at_first"].get(name, self.goal["values"][name])
        return known

    def several(self, rng: random.Random) -> list[tuple[Slot, Json]]:
        """Two or three slots with their values, the one that is asked for among them."""
        assert self.form is not None
        slots = {slot.name: slot for slot in self.form.applicable(self.filled)}
        left = [n for n in self.goal["values"] if n in slots and n not in self.filled]
        left.sort(key=lambda name: name not in self.asked)
        chosen = left[: rng.choice((2, 3))]
        return [(slots[name], self.value(name)) for name in chosen]


def _in_words(value: Json, rng: random.Random) -> str:
    if isinstance(value, str) and (day := _ISO.fullmatch(value)) and rng.random() < 0.5:
        return f"{int(day[3])} {MONTHS[int(day[2]) - 1].capitalize()} {day[1]}"
    return write_value(value)


def _function(brief: _Brief) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", brief.goal["function"])
    return " ".join(spaced.split()).lower()


def _open(brief: _Brief, rng: random.Random) -> str:
    way = rng.choice(("I would like to {}.", "Hello, I need to {}.", "Hi, this is about: {}."))
    return way.format(_function(brief))


def _ask_first(brief: _Brief, rng: random.Random) -> str:
    return rng.choice(("What can you do for me?", "Hello, what do you offer?"))


def _terse(brief: _Brief, rng: random.Random) -> str:
    return _in_words(brief.value(brief.slot.name), rng)


def _polite(brief: _Brief, rng: random.Random) -> str:
    value = _in_words(brief.value(brief.slot.name), rng)
    label = brief.slot.label
    return rng.choice(
        (f"My {label} is {value}.", f"It is {value}, thank you.", f"The {label} should be {value}.")
    )


def _chatty(brief: _Brief, rng: random.Random) -> str:
    value = _in_words(brief.value(brief.slot.name), rng)
    way = rng.choice(("Let me see. ", "Thank you. ", "Hello! "))
    return f"{way}That would be {value}, please."


def _list(brief: _Brief, rng: random.Random) -> str:
    lines = [f"- {slot.label}: {_in_words(value, rng)}" for slot, value in brief.several(rng)]
    return "\n".join(["Here is what I know:", *lines])


def _sentence(brief: _Brief, rng: random.Random) -> str:
    pieces = [f"my {slot.label} is {_in_words(value, rng)}" for slot, value in brief.several(rng)]
    text = ", ".join(pieces[:-1]) + f", and {pieces[-1]}."
    return text[0].upper() + text[1:]


def _free(brief: _Brief, rng: random.Random) -> str:
    ways = ("for the {} take {}", "the {} should be {}", "{} = {}")
    pieces = [
        way.format(slot.label, _in_words(value, rng))
        for way, (slot, value) in zip(ways, brief.several(rng), strict=False)
    ]
    text = "; ".join(pieces) + "."
    return text[0].upper() + text[1:]


def _skip(brief: _Brief, rng: random.Random) -> str:
    label = brief.slot.label
    return rng.choice(
        (
            f"Please skip the {label}.",
            "I would rather not say that.",
            "Can we leave it out, please.",
        )
    )


def _skip_required(brief: _Brief, rng: random.Random) -> str:
    return rng.choice(
        (
            f"Please skip the {brief.slot.label}.",
            "I want to skip this one.",
            "Leave that out, please.",
        )
    )


def _docs(brief: _Brief, rng: random.Random) -> str:
    assert brief.form is not None
    notes = [note.about for note in brief.form.docs]
    if notes and rng.random() < 0.6:
        return f"What can you tell me about the {rng.choice(notes)}?"
    slot = rng.choice(list(brief.form.slots.values()))
    return rng.choice(
        (f"What do you mean by the {slot.label}?", f"What should I say for the {slot.label}?")
    )


def _invalid(brief: _Brief, rng: random.Random) -> str:
    return f"My {brief.slot.label} is {_wrong(brief.slot, rng)}."


def _wrong(slot: Slot, rng: random.Random) -> str:
    schema = slot.schema
    if slot.choices:
        return rng.choice(("something golden", "whatever is cheapest", "number seventeen"))
    if schema["type"] == "boolean":
        return "perhaps"
    if schema["type"] in ("integer", "number"):
        if "maximum" in schema:
            return write_value(schema["maximum"] + rng.randint(5, 900))
        return write_value(schema["minimum"] - rng.randint(5, 900))
    if schema.get("format") == "date":
        return "some day in spring"
    return rng.choice(("none of your codes", "12-blue-34", "unknown"))


def _unknown(brief: _Brief, rng: random.Random) -> str:
    name, value = rng.choice(_DETAILS)
    return f"My {name} is {value}."


def _correct(brief: _Brief, rng: random.Random) -> str:
    assert brief.form is not None
    wrong = [
        name
        for name, value in brief.goal["values"].items()
        if name in brief.filled and not same_value(brief.filled[name], value)
    ]
    label = brief.form.slots[wrong[0]].label
    return f"Actually, the {label} should be {_in_words(brief.goal['values'][wrong[0]], rng)}."


def _one_of(*ways: str) -> Callable[[_Brief, random.Random], str]:
    return lambda brief, rng: rng.choice(ways)


_SAYINGS: dict[str, Callable[[_Brief, random.Random], str]] = {
    "init_short": _open,
    "init_ask": _ask_first,
    "init_unknown": _one_of(*_ELSEWHERE),
    "name_function": _open,
    "happy_terse": _terse,
    "happy_polite": _polite,
    "happy_chatty": _chatty,
    "multislot_list": _list,
    "multislot_sentence": _sentence,
    "multislot_free": _free,
    "skip_optional": _skip,
    "skip_required": _skip_required,
    "ask_docs": _docs,
    "ask_beyond": _one_of(*_BEYOND),
    "invalid_value": _invalid,
    "unknown_parameter": _unknown,
    "correct_self": _correct,
    "off_topic": _one_of(*_STRAYS),
    "leave": _one_of("I have changed my mind, I want to stop here.", "Forget it, I give up."),
    "confirm": _one_of("Yes, that is right.", "Yes, please go ahead.", "Correct."),
    "confirm_leave": _one_of("Yes, I want to stop.", "Yes."),
    "stay": _one_of("No, let us go on.", "No, wait, let us continue."),
}
