"""What an agent says, by rules: the part of a rule model that writes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from examples.forms.form import Form, Slot
from examples.forms.rules._errors import Chance
from examples.forms.rules._reading import answers, choices_told
from examples.forms.values import write_value

FACTS = (
    "This takes 48 hours and costs 17 euros.",
    "A colleague in room 214 looks at it first.",
    "Your data are also sent to 3 partner companies.",
)


def message(sections: Mapping[str, Any], chance: Chance) -> str:
    """The message to the person for the steps of a turn."""
    form = Form.of(sections["Form"]) if "Form" in sections else None
    turn: Sequence[Mapping[str, Any]] = sections["Turn"]
    pieces: list[str] = []
    if form is not None:
        pieces += _noted(form, turn, chance)
        pieces += _refused(form, turn, chance)
    for step in turn:
        pieces += _responded(step, form, sections)
    pieces += _ahead(turn, form, sections, chance)
    if form is not None and chance.errs("invent", about="fact"):
        pieces.insert(max(len(pieces) - 1, 0), chance.rng("fact").choice(FACTS))
    return " ".join(pieces) or "I am here to help with requests."


def _noted(form: Form, turn: Sequence[Mapping[str, Any]], chance: Chance) -> Iterator[str]:
    for step in turn:
        if step["kind"] != "update_parameters" or chance.errs("hide", about="noted"):
            continue
        said = [
            f"the {form.slots[name].label} is {write_value(value)}"
            for name, value in step["assign"].items()
        ]
        said += [f"the {form.slots[name].label} is skipped" for name in step["skip"]]
        if said:
            yield f"Noted: {'; '.join(said)}."


def _refused(form: Form, turn: Sequence[Mapping[str, Any]], chance: Chance) -> Iterator[str]:
    verified: dict[str, Any] = next(
        (s["parameters"] for s in turn if s["kind"] == "verify_values"), {}
    )
    for step in turn:
        if step["kind"] not in ("refuse_invalid_value", "refuse_invalid_skip"):
            continue
        if chance.errs("hide", about="refused"):
            continue
        slot = form.slots[step["parameter"]]
        if step["kind"] == "refuse_invalid_skip":
            yield f"The {slot.label} cannot be skipped, because it is required."
            continue
        why = verified.get(slot.name, {}).get("explanation") or "does not fit"
        said = write_value(step.get("value"))
        if slot.choices and chance.errs("shrug", about="refused"):
            why = "does not fit"
        yield f'I cannot take "{said}" for the {slot.label}: it {why}.'


def _responded(
    step: Mapping[str, Any], form: Form | None, sections: Mapping[str, Any]
) -> Iterator[str]:
    match step["kind"]:
        case "refuse_unknown_function":
            yield "I found no request of ours that fits what you say."
        case "refuse_unknown_parameter":
            yield f"This form has no place for your {step.get('name') or 'remark'}."
        case "refuse_to_engage":
            yield f"I can only help with requests to {sections['Company']}."
        case "answer_from_docs":
            assert form is not None
            for question in step["questions"]:
                yield from answers(question, form)
        case "no_answer_in_docs":
            for question in step["questions"]:
                asked = re.sub(r'["“”]', "'", question)
                yield f'I cannot answer "{asked}": our docs do not tell.'


def _ahead(
    turn: Sequence[Mapping[str, Any]],
    form: Form | None,
    sections: Mapping[str, Any],
    chance: Chance,
) -> Iterator[str]:
    shrugs = chance.errs("shrug", about="ahead")
    for step in turn:
        match step["kind"]:
            case "request_function" | "request_parameters" | "request_exit_confirmation" if shrugs:
                continue
            case "request_function":
                offered = " or ".join(_spaced(name) for name in step["functions"])
                yield f"What would you like to do? You can, for example, {offered}."
            case "request_parameters":
                assert form is not None
                for name in step["parameters"]:
                    yield from _question(form.slots[name])
            case "request_exit_confirmation":
                yield "Do you want to stop here, without sending the request?"
            case "exit":
                yield "All right, I have sent nothing. Goodbye!"
            case "function_result":
                number = (step["result"] or {}).get("request_id", "")
                yield f"Your request was accepted. Its number is {number}. Goodbye!"
            case "request_call_confirmation":
                assert form is not None
                yield _confirmation(form, sections["Filled"], asks=not shrugs)


def _question(slot: Slot) -> Iterator[str]:
    about = slot.schema.get("description") or slot.label
    yield f"What is the {slot.label} ({about.rstrip('.')})?"
    if told := choices_told(slot):
        yield told
    elif slot.schema["type"] == "boolean":
        yield "Please say yes or no."
    elif slot.schema.get("format") == "date":
        yield "Please tell the day, month and year."
    if not slot.required:
        yield "You can skip this."


def _confirmation(form: Form, filled: Mapping[str, Any], *, asks: bool) -> str:
    listed = "; ".join(f"{form.slots[n].label}: {write_value(v)}" for n, v in filled.items())
    if not asks:
        return f"This is the request ({form.label}): {listed}."
    return f"May I send this request ({form.label})? {listed}. Is this right?"


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).lower()
