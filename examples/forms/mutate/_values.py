"""Faults in what the agent makes of what was said: grounded, responsive, accurate."""

from __future__ import annotations

import random

from examples.forms.form import Slot
from examples.forms.goal import sample_value
from examples.forms.mutate._turn import (
    Bodies,
    Fault,
    TurnSteps,
    copy,
    read_values,
    sentences,
    then,
    valid,
    without,
)
from examples.forms.steps import (
    AnswerFromDocs,
    CallFunction,
    NoAnswerInDocs,
    RefuseInvalidSkip,
    RefuseInvalidValue,
    UpdateParameters,
)
from examples.forms.values import same_value, write_value
from playhead.tape import Json

_INVENTED = ("in 4711 hours", "for 3457 euros", "within 1733 minutes")


def _invent_value(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """The agent hears a value that nobody said, and goes on with it."""
    gathered, verified, update, form = read_values(turn)
    if gathered is None or verified is None or update is None or form is None:
        return None
    taken = {**turn.filled, **gathered.parameters}
    free = [
        slot for slot in form.applicable(turn.filled)
        if slot.name not in taken and slot.schema["type"] != "boolean" and not slot.choices
    ]  # fmt: skip
    if not free:
        return None
    slot = rng.choice(free)
    value = _nobody_said(slot, rng)
    if slot.fault(value) is not None:
        return None
    assign = {**update.assign, slot.name: value}
    changed = turn.replacing(
        copy(gathered, parameters={**gathered.parameters, slot.name: value}),
        copy(verified, parameters={**verified.parameters, slot.name: valid(value)}),
        copy(update, assign=assign),
    )
    noted = f"Noted: the {slot.label} is {write_value(value)}. {turn.message}"
    return then(changed, TurnSteps(turn.before, changed).with_message(noted))


def _nobody_said(slot: Slot, rng: random.Random) -> Json:
    schema = slot.schema
    if schema["type"] in ("integer", "number"):
        low, high = int(schema.get("minimum", 1)), int(schema.get("maximum", 9999))
        return rng.randint(low, high)
    if schema.get("format") == "date":
        return f"2031-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    if schema.get("format") == "email":
        return "quentin.zola@nowhere.example"
    return "Quentin Zola" if "pattern" not in schema else ""


def _invent_fact(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """The agent tells something that stands nowhere."""
    if turn.form is None:
        return None
    return turn.with_message(f"We do this {rng.choice(_INVENTED)}. {turn.message}")


def _ignore_question(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """A question is passed over."""
    asked = [step for step in turn.steps if isinstance(step, AnswerFromDocs | NoAnswerInDocs)]
    if not asked or not turn.message:
        return None
    rest = TurnSteps(turn.before, [step for step in turn.steps if step not in asked])
    return rest.with_message(sentences(turn.message)[-1]) or list(rest.steps)


def _drop_value(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """A value that was gathered and is valid is not filled in."""
    update = turn.first(UpdateParameters)
    if update is None or not update.assign or not turn.message:
        return None
    name = rng.choice(sorted(update.assign))
    left = {key: value for key, value in update.assign.items() if key != name}
    changed = TurnSteps(turn.before, turn.replacing(copy(update, assign=left)))
    shorter = without(turn.message, [write_value(update.assign[name])])
    return changed.with_message(shorter) or list(changed.steps)


def _overhear(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """All that was said of slots is passed over."""
    gathered, verified, update, _ = read_values(turn)
    if gathered is None or verified is None or update is None or not gathered.parameters:
        return None
    names = set(gathered.parameters)
    kept = [
        step for step in turn.steps
        if not isinstance(step, RefuseInvalidValue | RefuseInvalidSkip)
        or step.parameter not in names
    ]  # fmt: skip
    return TurnSteps(turn.before, kept).replacing(
        copy(gathered, parameters={}), copy(verified, parameters={}),
        copy(update, assign={}, skip=()),
    )  # fmt: skip


def _alter_value(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """A value is read as another one."""
    _, verified, update, form = read_values(turn)
    if verified is None or update is None or form is None or not update.assign:
        return None
    name = rng.choice(sorted(update.assign))
    value, slot = update.assign[name], form.slots[name]
    others = [sample_value(slot, rng) for _ in range(8)]
    other = next((o for o in others if slot.fault(o) is None and not same_value(o, value)), None)
    if other is None:
        return None
    changed = turn.replacing(
        copy(verified, parameters={**verified.parameters, name: valid(other)}),
        copy(update, assign={**update.assign, name: other}),
    )
    text = turn.message.replace(write_value(value), write_value(other))
    return then(changed, TurnSteps(turn.before, changed).with_message(text))


def _swap_values(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """Two values are taken for each other's slots."""
    gathered, verified, update, form = read_values(turn)
    if gathered is None or verified is None or update is None or form is None:
        return None
    for one in update.assign:
        for other in update.assign:
            a, b = update.assign[one], update.assign[other]
            fits = form.slots[one].fault(b) is None and form.slots[other].fault(a) is None
            if one < other and fits and not same_value(a, b):
                exchanged = {one: b, other: a}
                swapped = {name: valid(value) for name, value in exchanged.items()}
                return turn.replacing(
                    copy(verified, parameters={**verified.parameters, **swapped}),
                    copy(update, assign={**update.assign, **exchanged}),
                )
    return None


def _accept_invalid(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """A value that does not fit is taken."""
    _, verified, update, _ = read_values(turn)
    refusal = turn.first(RefuseInvalidValue)
    if verified is None or update is None or refusal is None:
        return None
    name = refusal.parameter
    value = verified.parameters[name].value
    kept = TurnSteps(turn.before, [step for step in turn.steps if step is not refusal])
    changed = kept.replacing(
        copy(verified, parameters={**verified.parameters, name: valid(value)}),
        copy(update, assign={**update.assign, name: value}),
    )
    text = f"Noted: it is {write_value(value)}. {sentences(turn.message)[-1]}"
    return then(changed, TurnSteps(turn.before, changed).with_message(text))


def _wrong_argument(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """The request is sent with another value."""
    call, form = turn.first(CallFunction), turn.form
    if call is None or form is None or not call.arguments:
        return None
    name = rng.choice(sorted(call.arguments))
    others = [sample_value(form.slots[name], rng) for _ in range(8)]
    other = next((o for o in others if not same_value(o, call.arguments[name])), None)
    if other is None:
        return None
    return turn.replacing(copy(call, arguments={**call.arguments, name: other}))


VALUE_FAULTS = (
    Fault("invent_value", "grounded", _invent_value),
    Fault("invent_fact", "grounded", _invent_fact),
    Fault("ignore_question", "responsive", _ignore_question),
    Fault("drop_value", "responsive", _drop_value),
    Fault("overhear", "responsive", _overhear),
    Fault("alter_value", "accurate", _alter_value),
    Fault("swap_values", "accurate", _swap_values),
    Fault("accept_invalid", "accurate", _accept_invalid),
    Fault("wrong_argument", "accurate", _wrong_argument),
)
