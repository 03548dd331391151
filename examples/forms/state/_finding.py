"""Steps that find a form: which functions there are, and which one it is; who spoke."""

from __future__ import annotations

from dataclasses import replace

from examples.forms.form import Form
from examples.forms.state._faults import not_ended
from examples.forms.state._state import FormState, StepFault, changed_by
from examples.forms.steps import (
    FunctionCandidates,
    FunctionResult,
    FunctionSchema,
    InspectFunction,
)
from playhead.tape.kinds import AssistantMessage, UserMessage


@changed_by(UserMessage)
def _heard(state: FormState, step: UserMessage) -> FormState:
    return replace(state, stage="heard", gathered={}, verified={}, changed=False)


@changed_by(AssistantMessage)
def _said(state: FormState, step: AssistantMessage) -> FormState:
    return replace(state, stage="said")


@changed_by(FunctionCandidates)
def _candidates(state: FormState, step: FunctionCandidates) -> FormState:
    known = {each["function"]: each["short_description"] for each in step.candidates}
    return replace(state, candidates=known)


@changed_by(InspectFunction)
def _inspect(state: FormState, step: InspectFunction) -> FormState:
    not_ended(state)
    if state.candidates is not None and step.function not in state.candidates:
        raise StepFault(
            "unknown_function",
            f"there is no function `{step.function}`: there are {', '.join(state.candidates)}",
        )
    if state.form is not None and state.form.name == step.function:
        raise StepFault("already_asked", f"`{step.function}` was inspected before: go on with it")
    return state


@changed_by(FunctionSchema)
def _schema(state: FormState, step: FunctionSchema) -> FormState:
    form = Form.of(step.form)
    return replace(state, form=form, filled={}, skipped=frozenset(), asked=(), awaiting=None)


@changed_by(FunctionResult)
def _result(state: FormState, step: FunctionResult) -> FormState:
    return replace(state, ended="called")
