"""Steps that take values: gathered, verified, filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from examples.forms.form import Form, Slot
from examples.forms.state._faults import in_order
from examples.forms.state._state import FormState, StepFault, changed_by
from examples.forms.steps import GatherValues, UpdateParameters, VerifyValues
from examples.forms.values import SKIP, same_value
from playhead.tape import Json


@changed_by(GatherValues)
def _gather(state: FormState, step: GatherValues) -> FormState:
    in_order(state, step, "heard", function=step.function)
    for name in step.parameters:
        if name not in state.known_form().slots:
            state.slot(name)
    return replace(state, stage="gathered", gathered=dict(step.parameters))


@changed_by(VerifyValues)
def _verify(state: FormState, step: VerifyValues) -> FormState:
    in_order(state, step, "gathered", function=step.function)
    verified: dict[str, tuple[Json, bool]] = {}
    later = dict(state.filled) | {name: each.value for name, each in step.parameters.items()}
    for name, each in step.parameters.items():
        if name not in state.gathered:
            raise StepFault("not_gathered", f"`{name}` was not gathered: verify what was")
        slot, valid = state.known_form().slots[name], each.status == "valid"
        if valid and each.value != SKIP:
            _fits(slot, each.value)
            if not slot.applies(later):
                raise StepFault("not_applicable", f"`{name}` does not belong to this request")
        if not valid and _refuses_a_choice(slot, each.value) and slot.applies(later):
            raise StepFault("valid_value", f"`{each.value}` is a value of `{name}`: take it")
        if valid and each.value == SKIP and slot.required:
            raise StepFault("required_skip", f"`{name}` is required: it cannot be skipped")
        if not valid and each.value == SKIP and not slot.required:
            raise StepFault("optional_skip", f"`{name}` is optional: it may be skipped")
        verified[name] = (each.value, valid)
    return replace(state, stage="verified", verified=verified)


def _refuses_a_choice(slot: Slot, value: Json) -> bool:
    return slot.is_closed and value != SKIP and slot.fault(value) is None


def _fits(slot: Slot, value: Json) -> None:
    if fault := slot.fault(value):
        raise StepFault("invalid_value", f"`{value}` is no value of `{slot.name}`: it {fault}")


@changed_by(UpdateParameters)
def _update(state: FormState, step: UpdateParameters) -> FormState:
    in_order(state, step, "verified", function=step.function)
    form = state.known_form()
    for name, value in step.assign.items():
        known, valid = state.verified.get(name, (None, False))
        if not valid or known == SKIP:
            raise StepFault("not_gathered", f"no valid value of `{name}` was verified: leave it")
        if not same_value(known, value):
            raise StepFault("wrong_values", f"`{name}` was verified as `{known}`, not `{value}`")
    for name in step.skip:
        slot = state.slot(name) if name in form.slots else None
        if slot is None or slot.required:
            raise StepFault("required_skip", f"`{name}` cannot be skipped: ask for it")
        if state.verified.get(name) != (SKIP, True):
            raise StepFault("not_gathered", f"nobody wanted to skip `{name}`: leave it")
    filled = {**state.filled, **step.assign}
    for name in step.skip:
        filled.pop(name, None)
    filled = _still_applying(form, filled)
    skipped = (state.skipped | set(step.skip)) - set(step.assign)
    changed = bool(step.assign or step.skip)
    return replace(state, stage="updated", filled=filled, skipped=skipped, changed=changed)


def _still_applying(form: Form, filled: Mapping[str, Json]) -> dict[str, Json]:
    """Values of slots that no longer belong to the request are dropped."""
    kept = dict(filled)
    while gone := [name for name in kept if not form.slots[name].applies(kept)]:
        for name in gone:
            del kept[name]
    return kept
