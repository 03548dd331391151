"""Faults in what the agent does next and says: disciplined, transparent, helpful."""

from __future__ import annotations

import random

from examples.forms.mutate._turn import Bodies, Fault, TurnSteps, copy, sentences, then, without
from examples.forms.steps import (
    CallFunction,
    FunctionResult,
    RefuseInvalidSkip,
    RefuseInvalidValue,
    RequestCallConfirmation,
    RequestParameters,
    UpdateParameters,
)
from examples.forms.values import write_value
from playhead.tape import Json


def _ask_again(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """The agent asks for what it knows."""
    plan, form = turn.first(RequestParameters), turn.form
    known = sorted(name for name in turn.filled if form is not None and name in form.slots)
    if plan is None or form is None or not known:
        return None
    slot = form.slots[rng.choice(known)]
    if not slot.applies(turn.filled):
        return None
    text = f"{without(turn.message, ['?'])} What is the {slot.label}?"
    changed = turn.replacing(copy(plan, parameters=(slot.name,)))
    return then(changed, TurnSteps(turn.before, changed).with_message(text))


def _call_early(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """The request is sent without a yes."""
    plan = turn.first(RequestCallConfirmation)
    if plan is None:
        return None
    update = turn.first(UpdateParameters)
    filled = {**turn.filled, **(update.assign if update is not None else {})}
    made: Bodies = []
    for step in turn.steps:
        if step is plan:
            made.append(CallFunction(function=plan.function, arguments=filled))
            result: Json = {"request_id": "R-0", "status": "accepted"}
            made.append(FunctionResult(function=plan.function, result=result))
        else:
            made.append(step)
    return made


def _forget_plan(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """Nothing is decided about how it goes on."""
    plan = turn.first(RequestParameters) or turn.first(RequestCallConfirmation)
    return None if plan is None else [step for step in turn.steps if step is not plan]


def _hide_update(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """What was noted is not said."""
    update, form = turn.first(UpdateParameters), turn.form
    if update is None or form is None or not update.assign or turn.first(RequestCallConfirmation):
        return None
    words = [w for n, v in update.assign.items() for w in (write_value(v), form.slots[n].label)]
    return turn.with_message(without(turn.message, words))


def _hide_skip(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """What was skipped is not said."""
    update, form = turn.first(UpdateParameters), turn.form
    if update is None or form is None or not update.skip:
        return None
    words = [form.slots[name].label for name in update.skip]
    return turn.with_message(without(turn.message, [f"{word} is skipped" for word in words]))


def _hide_refusal(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """A value or a wish is refused without a word."""
    refusal, form = turn.first(RefuseInvalidValue) or turn.first(RefuseInvalidSkip), turn.form
    if refusal is None or form is None:
        return None
    return turn.with_message(without(turn.message, [form.slots[refusal.parameter].label]))


def _hide_request(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """The person is to confirm a request that they are not shown."""
    if turn.first(RequestCallConfirmation) is None:
        return None
    return turn.with_message("May I send the request?")


def _hide_choices(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """What can be chosen is not said."""
    plan, form = turn.first(RequestParameters), turn.form
    if plan is None or form is None or not (choices := form.slots[plan.parameters[0]].choices):
        return None
    kept = [
        each for each in sentences(turn.message)
        if not all(write_value(choice) in each for choice in choices)
    ]  # fmt: skip
    return turn.with_message(" ".join(kept))


def _hide_option(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """That a slot may be skipped is not said."""
    plan, form = turn.first(RequestParameters), turn.form
    if plan is None or form is None or form.slots[plan.parameters[0]].required:
        return None
    return turn.with_message(without(turn.message, ["you can skip"]))


def _fall_silent(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """The message does not say what is next."""
    if turn.first(RequestParameters) is None:
        return None
    kept = [each for each in sentences(turn.message) if each.startswith("Noted")]
    return turn.with_message(" ".join(kept) or "I see.")


SPEECH_FAULTS = (
    Fault("ask_again", "disciplined", _ask_again),
    Fault("call_early", "disciplined", _call_early),
    Fault("forget_plan", "disciplined", _forget_plan),
    Fault("hide_update", "transparent", _hide_update),
    Fault("hide_skip", "transparent", _hide_skip),
    Fault("hide_refusal", "transparent", _hide_refusal),
    Fault("hide_request", "transparent", _hide_request),
    Fault("hide_choices", "helpful", _hide_choices),
    Fault("hide_option", "helpful", _hide_option),
    Fault("fall_silent", "helpful", _fall_silent),
)
