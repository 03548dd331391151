"""The rule model of the teacher: one small decision at a time."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from examples.forms.form import Form, Slot
from examples.forms.rules._errors import Chance
from examples.forms.rules._model import RuleModel, listed
from examples.forms.rules._reading import Reading, answers, best_candidate, read_message
from examples.forms.rules._wording import message
from examples.forms.values import SKIP, read_value
from playhead.errors import ModelRequestError
from playhead.tape import Json

_WISH = re.compile(r"\b(?:would like to|need to|want to|this is about|help me)\b", re.I)


class RuleTeacherModel(RuleModel):
    """Answers the prompts of the teacher's nodes, by rules."""

    default_name: ClassVar[str] = "rule-teacher"

    def answer(self, task: str, sections: dict[str, Any], chance: Chance) -> str:
        """See `RuleModel.answer`."""
        match task:
            case "generate" | "confirm":
                return message(sections, chance)
            case "discover":
                return listed(discovered(sections))
            case "gather":
                return listed([gathered(sections, chance)])
            case "verify":
                return listed([verified(sections, chance)])
            case "plan_back":
                return listed(planned_back(sections, chance))
            case "plan_ahead":
                return listed([planned_ahead(sections, chance)])
        raise ModelRequestError(f"`{self.name}` does not know the task `{task}`")


def last_said(sections: dict[str, Any]) -> str:
    """What the person said last."""
    said = [text for who, text in sections["Conversation"] if who == "User"]
    return str(said[-1]) if said else ""


def understood(sections: dict[str, Any]) -> Reading:
    """The last message, read."""
    form, asked = Form.of(sections["Form"]), sections["Asked"]
    return read_message(last_said(sections), form, asked=asked["for"], waiting=asked["waiting"])


def step_of(sections: dict[str, Any], kind: str) -> dict[str, Any]:
    """The step of a kind in this turn; empty if there is none."""
    found: dict[str, Any] = next((s for s in sections["Turn"] if s["kind"] == kind), {})
    return found


def discovered(sections: dict[str, Any]) -> list[dict[str, Json]]:
    """The function that is wanted, or what is offered instead."""
    candidates = sections["Candidates"]
    function = best_candidate(last_said(sections), candidates)
    if function is not None:
        return [{"kind": "inspect_function", "function": function}]
    offered: Json = [each["function"] for each in candidates[:3]]
    return [
        {"kind": "refuse_unknown_function"},
        {"kind": "request_function", "functions": offered},
    ]


def gathered(sections: dict[str, Any], chance: Chance) -> dict[str, Json]:
    """What was said of slots."""
    form, values = Form.of(sections["Form"]), understood(sections).values
    if values and chance.errs("ignore", about="value"):
        values.pop(chance.rng("ignored").choice(sorted(values)))
    if chance.errs("invent", about="value"):
        taken = sections["Filled"].keys() | values.keys()
        free = [s for s in form.applicable(sections["Filled"]) if s.name not in taken]
        if free:
            values[free[0].name] = invented(free[0], last_said(sections), chance)
    return {"kind": "gather_values", "function": form.name, "parameters": values}


def invented(slot: Slot, said: str, chance: Chance) -> Json:
    """A value that fits a slot and that nobody said."""
    rng = chance.rng("invented")
    schema = slot.schema
    if slot.choices:
        return rng.choice([c for c in slot.choices if str(c) not in said] or list(slot.choices))
    if schema["type"] == "boolean":
        return rng.random() < 0.5
    if schema["type"] in ("integer", "number"):
        low = int(schema.get("minimum", 1)) + 1
        return rng.randint(low, max(low, int(schema.get("maximum", low + 90))))
    if schema.get("format") == "date":
        return f"2028-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    if pattern := schema.get("pattern"):
        return _of_pattern(pattern, rng.randint(10**9, 10**10 - 1))
    return rng.choice(("somebody@nowhere.example", "Xaver Quill", "99 Nowhere Road"))


def _of_pattern(pattern: str, digits: int) -> str:
    text = pattern.strip("^$").replace("(RE|NT)", "RE")
    left = str(digits) * 2

    def filled(match: re.Match[str]) -> str:
        nonlocal left
        count = int(match[2])
        piece, left = (left[:count], left[count:]) if match[1] == "0-9" else ("ZX"[:count], left)
        return piece

    return re.sub(r"\[([^\]]+)\]\{(\d+)\}", filled, text)


def verified(sections: dict[str, Any], chance: Chance) -> dict[str, Json]:
    """The gathered values, read and held against the form."""
    form = Form.of(sections["Form"])
    given = step_of(sections, "gather_values").get("parameters", {})
    read = {name: read_value(value, form.slots[name].schema) for name, value in given.items()}
    later = {**sections["Filled"], **{n: v for n, v in read.items() if v != SKIP}}
    found: dict[str, Json] = {}
    for name, value in read.items():
        slot = form.slots[name]
        if value == SKIP:
            why = "cannot be skipped, because it is required" if slot.required else ""
        elif not slot.applies(later):
            why = "does not belong to this request"
        else:
            why = slot.fault(value) or ""
        if not why and value != SKIP and chance.errs("misread", about=name):
            value = misread(slot, value, chance)
        status = "invalid" if why else "valid"
        found[name] = {"value": value, "status": status, "explanation": why}
    return {"kind": "verify_values", "function": form.name, "parameters": found}


def misread(slot: Slot, value: Json, chance: Chance) -> Json:
    """Another value that fits as well."""
    rng = chance.rng("misread")
    if slot.choices:
        return rng.choice([c for c in slot.choices if c != value] or [value])
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        higher = value + 1
        return higher if slot.fault(higher) is None else value - 1
    if not isinstance(value, str):
        return value
    swapped = value[:-1] + ("3" if value[-1] != "3" else "7")
    for other in (swapped, f"{value[:-2]}{value[-1]}{value[-2]}", f"{value} Junior"):
        if other != value and slot.fault(other) is None:
            return other
    return value


def planned_back(sections: dict[str, Any], chance: Chance) -> list[dict[str, Json]]:
    """What is filled and skipped, and how the rest of the message is responded to."""
    form, reading = Form.of(sections["Form"]), understood(sections)
    function = form.name
    checked = step_of(sections, "verify_values").get("parameters", {})
    valid = {n: each["value"] for n, each in checked.items() if each["status"] == "valid"}
    assign: Json = {name: value for name, value in valid.items() if value != SKIP}
    skip: Json = [name for name, value in valid.items() if value == SKIP]
    steps: list[dict[str, Json]] = [
        {"kind": "update_parameters", "function": function, "assign": assign, "skip": skip}
    ]
    for name, each in checked.items():
        if each["status"] == "valid":
            continue
        if each["value"] == SKIP:
            steps.append({"kind": "refuse_invalid_skip", "function": function, "parameter": name})
        else:
            refused = {"kind": "refuse_invalid_value", "function": function, "parameter": name}
            steps.append({**refused, "value": each["value"]})
    responses = _responses(function, reading, form)
    if responses and chance.errs("ignore", about="response"):
        responses = responses[1:]
    return [*steps, *responses]


def _responses(function: str, reading: Reading, form: Form) -> list[dict[str, Json]]:
    answered: list[Json] = [q for q in reading.questions if answers(q, form)]
    declined: list[Json] = [q for q in reading.questions if not answers(q, form)]
    steps: list[dict[str, Json]] = [
        {"kind": "refuse_unknown_parameter", "function": function, "name": name}
        for name in reading.unknown
    ]
    for kind, questions in (("answer_from_docs", answered), ("no_answer_in_docs", declined)):
        if questions:
            steps.append({"kind": kind, "function": function, "questions": questions})
    if reading.strays and not reading.values and not answered and form_is_begun(reading):
        steps.append({"kind": "refuse_to_engage"})
    return steps


def form_is_begun(reading: Reading) -> bool:
    """Whether strays are off topic, rather than the wish that the conversation began with."""
    return not any(_WISH.search(stray) for stray in reading.strays)


def planned_ahead(sections: dict[str, Any], chance: Chance) -> dict[str, Json]:
    """How the conversation goes on."""
    form, reading = Form.of(sections["Form"]), understood(sections)
    filled, waiting = sections["Filled"], sections["Asked"]["waiting"]
    function: dict[str, Json] = {"function": form.name}
    if chance.errs("wander"):
        return _wandering(form, filled)
    if waiting == "exit" and (reading.assent or reading.leaves):
        return {"kind": "exit"}
    if reading.leaves:
        return {"kind": "request_exit_confirmation"}
    update = step_of(sections, "update_parameters")
    changed = bool(update.get("assign") or update.get("skip"))
    if waiting == "call" and reading.assent and not changed and not form.missing(filled):
        return {"kind": "call_function", **function, "arguments": filled}
    if (name := next_slot(form, sections)) is not None:
        return {"kind": "request_parameters", **function, "parameters": [name]}
    return {"kind": "request_call_confirmation", **function}


def _wandering(form: Form, filled: dict[str, Any]) -> dict[str, Json]:
    if filled:
        name: Json = next(iter(filled))
        return {"kind": "request_parameters", "function": form.name, "parameters": [name]}
    return {"kind": "call_function", "function": form.name, "arguments": filled}


def next_slot(form: Form, sections: dict[str, Any]) -> str | None:
    """The slot to ask for: one that was just refused, else a required one, else an optional."""
    unfilled = form.open_slots(sections["Filled"], frozenset(sections["Skipped"]))
    names = [slot.name for slot in sorted(unfilled, key=lambda slot: not slot.required)]
    refused = [s["parameter"] for s in sections["Turn"] if s["kind"].startswith("refuse_invalid")]
    return next((name for name in refused if name in names), names[0] if names else None)
