"""The state of a form that is being filled: checks each step, and refuses a wrong one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from examples.forms.form import Form, Slot
from examples.forms.steps import (
    PLANS,
    RESPONSES,
    AnswerFromDocs,
    CallFunction,
    Exit,
    FunctionCandidates,
    FunctionResult,
    FunctionSchema,
    GatherValues,
    InspectFunction,
    NoAnswerInDocs,
    RefuseInvalidSkip,
    RefuseInvalidValue,
    RefuseUnknownFunction,
    RefuseUnknownParameter,
    RequestCallConfirmation,
    RequestExitConfirmation,
    RequestFunction,
    RequestParameters,
    StepError,
    StepErrorCode,
    UpdateParameters,
    VerifyValues,
    as_written,
)
from examples.forms.values import SKIP, same_value
from playhead.tape import Body, Json
from playhead.tape.kinds import AssistantMessage, UserMessage

MOST_AT_ONCE = 3  # slots that may be asked for in one turn
Stage: TypeAlias = Literal["heard", "gathered", "verified", "updated", "planned", "said"]
_ORDER: tuple[Stage, ...] = ("heard", "gathered", "verified", "updated", "planned", "said")


class StepFault(Exception):
    """A step does not fit."""

    def __init__(self, code: StepErrorCode, message: str) -> None:
        super().__init__(message)
        self.code: StepErrorCode = code
        self.message = message


@dataclass(frozen=True, slots=True)
class FormState:
    """Where a conversation is.

    Args:
        candidates: The functions that there are, with their descriptions, once they are known.
        form: The form, once it is known.
        filled: The values of slots.
        skipped: Slots that are left out.
        awaiting: What the agent's last question waits for: values, or a yes to a call or an exit.
        asked: The slots that were asked for last.
        stage: How far the turn has come.
        gathered: What was gathered in this turn.
        verified: What was made of it: value and whether it is valid.
        changed: Whether the turn changed the request.
        ended: How the conversation ended.
    """

    candidates: Mapping[str, str] | None = None
    form: Form | None = None
    filled: Mapping[str, Json] = field(default_factory=dict)
    skipped: frozenset[str] = frozenset()
    awaiting: Literal["function", "values", "call", "exit"] | None = None
    asked: tuple[str, ...] = ()
    stage: Stage = "said"
    gathered: Mapping[str, Json] = field(default_factory=dict)
    verified: Mapping[str, tuple[Json, bool]] = field(default_factory=dict)
    changed: bool = False
    ended: Literal["called", "exited"] | None = None

    def after(self, step: Body) -> FormState:
        """The state after a step; steps of other kinds change nothing.

        Raises:
            StepFault: The step does not fit.
        """
        transition = _TRANSITIONS.get(type(step))
        return self if transition is None else transition(self, step)

    def after_all(self, steps: Iterable[Body]) -> FormState:
        """The state after steps that are on a tape: those that do not fit change nothing."""
        state = self
        for step in steps:
            try:
                state = state.after(step)
            except StepFault:
                continue
        return state

    def slot(self, name: str) -> Slot:
        """A slot of the form that applies now.

        Raises:
            StepFault: There is none of that name, or it does not belong to the request.
        """
        form = self.known_form()
        if name not in form.slots:
            raise StepFault(
                "unknown_parameter",
                f"`{form.name}` has no parameter `{name}`: it has {', '.join(form.slots)}",
            )
        if not form.slots[name].applies(self.filled):
            raise StepFault(
                "not_applicable",
                f"`{name}` does not belong to this request: leave it out",
            )
        return form.slots[name]

    def known_form(self) -> Form:
        """The form.

        Raises:
            StepFault: It is not known yet.
        """
        if self.form is None:
            raise StepFault("no_function", "no function is chosen yet: inspect one first")
        return self.form


def checked(state: FormState, steps: Iterable[Body]) -> list[Body]:
    """The steps of one completion; if one does not fit, its `StepError` in place of them all.

    All or none are taken: whoever wrote them writes them again.
    """
    taken: list[Body] = []
    for step in steps:
        try:
            state = state.after(step)
        except StepFault as fault:
            return [StepError(code=fault.code, message=fault.message, step=as_written(step))]
        taken.append(step)
    return taken


# --- transitions ----------------------------------------------------------------------------


def _heard(state: FormState, step: UserMessage) -> FormState:
    return replace(state, stage="heard", gathered={}, verified={}, changed=False)


def _said(state: FormState, step: AssistantMessage) -> FormState:
    return replace(state, stage="said")


def _candidates(state: FormState, step: FunctionCandidates) -> FormState:
    known = {each["function"]: each["short_description"] for each in step.candidates}
    return replace(state, candidates=known)


def _inspect(state: FormState, step: InspectFunction) -> FormState:
    _not_ended(state)
    if state.candidates is not None and step.function not in state.candidates:
        raise StepFault(
            "unknown_function",
            f"there is no function `{step.function}`: there are {', '.join(state.candidates)}",
        )
    if state.form is not None and state.form.name == step.function:
        raise StepFault("already_asked", f"`{step.function}` was inspected before: go on with it")
    return state


def _schema(state: FormState, step: FunctionSchema) -> FormState:
    form = Form.of(step.form)
    return replace(state, form=form, filled={}, skipped=frozenset(), asked=(), awaiting=None)


def _gather(state: FormState, step: GatherValues) -> FormState:
    _in_order(state, step, "heard", same_function=step.function)
    for name in step.parameters:
        if name not in state.known_form().slots:
            state.slot(name)
    return replace(state, stage="gathered", gathered=dict(step.parameters))


def _verify(state: FormState, step: VerifyValues) -> FormState:
    _in_order(state, step, "gathered", same_function=step.function)
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


def _update(state: FormState, step: UpdateParameters) -> FormState:
    _in_order(state, step, "verified", same_function=step.function)
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


def _respond(state: FormState, step: Body) -> FormState:
    _not_ended(state)
    if state.stage in ("planned", "said"):
        raise StepFault("out_of_order", f"`{_name(step)}` comes before what is planned next")
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
            _same_function(state, step.function)
        case RefuseUnknownFunction() if state.form is not None:
            raise StepFault("wrong_function", f"`{state.form.name}` is chosen already")
    return state


def _plan(state: FormState, step: Body) -> FormState:
    _not_ended(state)
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
    _same_function(state, step.function)
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
    _same_function(state, function)
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


def _result(state: FormState, step: FunctionResult) -> FormState:
    return replace(state, ended="called")


def _not_ended(state: FormState) -> None:
    if state.ended is not None:
        raise StepFault("ended", "the conversation has ended: there is nothing left to do")


def _in_order(state: FormState, step: Body, stage: Stage, *, same_function: str) -> None:
    _not_ended(state)
    _same_function(state, same_function)
    if state.stage != stage:
        following = "what was " + stage if stage != "heard" else "what the person says"
        raise StepFault("out_of_order", f"`{_name(step)}` follows {following}, once in a turn")


def _same_function(state: FormState, function: str) -> None:
    if state.known_form().name != function:
        raise StepFault(
            "wrong_function", f"the function is `{state.known_form().name}`, not `{function}`"
        )


def _name(step: Body) -> str:
    return step.kind.removeprefix("forms.")


_TRANSITIONS: dict[type[Body], Callable[[FormState, Any], FormState]] = {
    UserMessage: _heard,
    AssistantMessage: _said,
    FunctionCandidates: _candidates,
    InspectFunction: _inspect,
    FunctionSchema: _schema,
    GatherValues: _gather,
    VerifyValues: _verify,
    UpdateParameters: _update,
    FunctionResult: _result,
    **dict.fromkeys(RESPONSES, _respond),
    **dict.fromkeys(PLANS, _plan),
}
