"""Steps that respond to what was said, and plan what is next."""

from __future__ import annotations

from dataclasses import replace

from examples.forms.state._faults import name_of, not_ended, same_function
from examples.forms.state._state import FormState, StepFault, changed_by
from examples.forms.steps import (
    PLANS,
    RESPONSES,
    AnswerFromDocs,
    CallFunction,
    Exit,
    NoAnswerInDocs,
    RefuseInvalidSkip,
    RefuseInvalidValue,
    RefuseUnknownFunction,
    RefuseUnknownParameter,
    RequestCallConfirmation,
    RequestExitConfirmation,
    RequestFunction,
    RequestParameters,
)
from examples.forms.values import same_value
from playhead.tape import Body

MOST_AT_ONCE = 3  # slots that may be asked for in one turn


@changed_by(*RESPONSES)
def _respond(state: FormState, step: Body) -> FormState:
    not_ended(state)
    if state.stage in ("planned", "said"):
        raise StepFault("out_of_order", f"`{name_of(step)}` comes before what is planned next")
    match step:
        case RefuseInvalidValue():
            name = step.parameter
            if name not in state.known_form().slots:
                state.slot(name)
            value, valid = state.verified.get(name, (None, False))
            if valid:
                raise StepFault("valid_value", f"`{value}` is a value of `{name}`: take it")
        case RefuseInvalidSkip():
            if not state.slot(step.parameter).required:
                raise StepFault(
                    "optional_skip", f"`{step.parameter}` is optional: it may be skipped"
                )
        case AnswerFromDocs() | NoAnswerInDocs() | RefuseUnknownParameter():
            same_function(state, step.function)
        case RefuseUnknownFunction() if state.form is not None:
            raise StepFault("wrong_function", f"`{state.form.name}` is chosen already")
    return state


@changed_by(*PLANS)
def _plan(state: FormState, step: Body) -> FormState:
    not_ended(state)
    if state.stage in ("planned", "said"):
        raise StepFault("out_of_order", "it is decided already how this turn goes on")
    planned = replace(state, stage="planned", asked=())
    match step:
        case RequestFunction():
            for name in step.functions:
                if state.candidates is not None and name not in state.candidates:
                    raise StepFault("unknown_function", f"there is no function `{name}` to offer")
            return replace(planned, awaiting="function")
        case RequestParameters():
            return replace(planned, awaiting="values", asked=_askable(state, step))
        case RequestCallConfirmation():
            _complete(state, step.function)
            return replace(planned, awaiting="call")
        case RequestExitConfirmation():
            return replace(planned, awaiting="exit")
        case CallFunction():
            return _call(planned, step)
        case Exit():
            if state.awaiting != "exit":
                raise StepFault("not_confirmed", "ask first whether the person wants to leave")
            return replace(planned, ended="exited", awaiting=None)
    return planned


def _askable(state: FormState, step: RequestParameters) -> tuple[str, ...]:
    same_function(state, step.function)
    if not 1 <= len(step.parameters) <= MOST_AT_ONCE:
        raise StepFault("out_of_order", f"ask for 1 to {MOST_AT_ONCE} parameters at once")
    for name in step.parameters:
        slot = state.slot(name)
        if slot.name in state.filled:
            raise StepFault("already_filled", f"`{name}` is filled: ask for what is missing")
        if slot.name in state.skipped:
            raise StepFault("already_filled", f"`{name}` was skipped: do not ask again")
    return step.parameters


def _complete(state: FormState, function: str) -> None:
    same_function(state, function)
    if missing := state.known_form().missing(state.filled):
        names = ", ".join(slot.name for slot in missing)
        raise StepFault("missing_parameters", f"these have no value yet: {names}")


def _call(state: FormState, step: CallFunction) -> FormState:
    _complete(state, step.function)
    if state.awaiting != "call" or state.changed:
        raise StepFault("not_confirmed", "ask for confirmation of the request as it is now")
    given = step.arguments
    if set(given) != set(state.filled) or not all(
        same_value(given[name], value) for name, value in state.filled.items()
    ):
        raise StepFault("wrong_values", "the arguments are not what the slots are filled with")
    return replace(state, awaiting=None)
