"""A tape as a dialogue: turns of a person and an agent, whichever agent wrote it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from examples.forms.form import Form
from examples.forms.state import FormState, StepFault
from examples.forms.steps import (
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
    RefuseToEngage,
    RefuseUnknownFunction,
    RefuseUnknownParameter,
    RequestCallConfirmation,
    RequestExitConfirmation,
    RequestFunction,
    RequestParameters,
    ResolveFunction,
    StepError,
    UpdateParameters,
    VerifyValues,
)
from playhead.tape import Body, Step, Tape
from playhead.tape.kinds import AssistantMessage, ToolCall, ToolResult, UserMessage

_FOREIGN: dict[str, type[Body]] = {  # by TapeAgents' names, without `_thought` and `_action`
    "resolve_function": ResolveFunction,
    "inspect_function": InspectFunction,
    "call_function": CallFunction,
    "exit": Exit,
    "gather_values": GatherValues,
    "verify_values": VerifyValues,
    "update_function_parameters": UpdateParameters,
    "request_function": RequestFunction,
    "request_function_parameters": RequestParameters,
    "request_function_call_confirmation": RequestCallConfirmation,
    "request_exit_confirmation": RequestExitConfirmation,
    "refuse_invalid_function_parameter_value": RefuseInvalidValue,
    "refuse_invalid_function_parameter_skip": RefuseInvalidSkip,
    "refuse_inexistent_function": RefuseUnknownFunction,
    "refuse_inexistent_function_parameter": RefuseUnknownParameter,
    "refuse_to_engage": RefuseToEngage,
    "answer_from_function_schema": AnswerFromDocs,
    "no_answer_in_function_schema": NoAnswerInDocs,
}
_RENAMED = {
    "answerable_questions": "questions",
    "declined_questions": "questions",
    "parameter_value": "value",
}


@dataclass(frozen=True, slots=True)
class Turn:
    """What a person says, and all that the agent makes of it.

    Args:
        number: From 0.
        at: Position of what the person says.
        user: What the person says.
        steps: The agent's steps and what the environment answered, without those refused.
        refused: The steps that were refused on the tape.
        faults: Steps on the tape that do not fit the form, found when they are gone through again.
        message: What the agent says at the end; None if it says nothing.
        before: The state of the form when the person has spoken.
        after: The state at the end of the turn.
    """

    number: int
    at: int
    user: str
    steps: tuple[Body, ...]
    refused: tuple[StepError, ...]
    faults: tuple[StepFault, ...]
    message: str | None
    before: FormState
    after: FormState

    def of(self, *kinds: type[Body]) -> list[Any]:
        """The steps of some kinds."""
        return [step for step in self.steps if isinstance(step, kinds)]


@dataclass(frozen=True, slots=True)
class Dialogue:
    """The turns of a tape.

    Args:
        turns: In order. A last one to which the agent has not come yet is left out.
        state: The state at the end.
    """

    turns: tuple[Turn, ...]
    state: FormState = field(default_factory=FormState)

    @property
    def form(self) -> Form | None:
        """The form, once it is known."""
        return self.state.form

    def said_by_user(self, *, until: int) -> str:
        """All that the person said up to a turn, that turn included."""
        return "\n".join(turn.user for turn in self.turns[: until + 1])

    def call(self) -> CallFunction | None:
        """The request that was sent, if one was."""
        calls = [step for turn in self.turns for step in turn.of(CallFunction)]
        return calls[-1] if calls else None


def read_dialogue(tape: Tape) -> Dialogue:
    """The dialogue on a tape: one of the agents here, or one that TapeAgents recorded."""
    turns: list[Turn] = []
    state = FormState()
    for steps in _turns(tape):
        turn, state = _turn(len(turns), steps, state)
        if turn.steps or turn.message is not None:
            turns.append(turn)
    return Dialogue(tuple(turns), state)


def _turns(tape: Tape) -> Iterator[list[tuple[int, Body]]]:
    """The steps from one saying of the person to the next."""
    current: list[tuple[int, Body]] = []
    for step in tape:
        if step.erased or step.role == "note":
            continue
        body = as_form_step(step)
        if body is None:
            continue
        if isinstance(body, UserMessage):
            if current:
                yield current
            current = []
        elif not current:
            continue  # a greeting, before the person says anything
        current.append((step.seq, body))
    if current:
        yield current


def _turn(number: int, steps: list[tuple[int, Body]], state: FormState) -> tuple[Turn, FormState]:
    (at, user), *rest = steps
    assert isinstance(user, UserMessage)
    before = state = state.after(user)
    kept: list[Body] = []
    refused: list[StepError] = []
    faults: list[StepFault] = []
    message: str | None = None
    for _, body in rest:
        if isinstance(body, StepError):
            refused.append(body)
            continue
        if isinstance(body, AssistantMessage):
            message = body.text
        else:
            kept.append(body)
        try:
            state = state.after(body)
        except StepFault as fault:
            faults.append(fault)
    turn = Turn(
        number, at, user.text, tuple(kept), tuple(refused), tuple(faults), message, before, state
    )
    return turn, state


def as_form_step(step: Step) -> Body | None:
    """A step as one of those of `examples.forms`, or what was said; None if it is neither."""
    body = step.body
    if step.kind.startswith("forms.") or isinstance(body, UserMessage | AssistantMessage):
        return body
    if step.kind in ("tapeagents.thought", "tapeagents.observation", "tapeagents.action"):
        members = json.loads(step.data or b"{}")  # also where the kind is not known here
        return _foreign(members["name"], members["members"])
    if isinstance(body, ToolCall) and isinstance(body.arguments, dict):
        return _foreign(body.name, body.arguments)
    if isinstance(body, ToolResult) and isinstance(body.result, dict):
        return _foreign_result(body.name, body.result)
    return None


def _foreign(name: str, members: Mapping[str, Any]) -> Body | None:
    cls = _FOREIGN.get(name.removesuffix("_thought").removesuffix("_action"))
    if cls is None:
        return None
    renamed = {_RENAMED.get(key, key): value for key, value in members.items()}
    known = {key: value for key, value in renamed.items() if key in cls.model_fields}
    try:
        return cls.model_validate(known)
    except ValidationError:
        return None


def _foreign_result(name: str, result: Mapping[str, Any]) -> Body | None:
    match result.get("kind"):
        case "function_candidates":
            return FunctionCandidates(candidates=tuple(result["candidates"]))
        case "function_schema":
            names = ("name", "description", "parameters")
            return FunctionSchema(form={key: result[key] for key in names})
    if name == "call_function_action":
        return FunctionResult(function="", result=dict(result))
    return None
