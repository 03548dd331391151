"""The steps of a form filler: every move that it can make, typed."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from playhead.tape import Action, Body, Observation, Thought

# --- what is asked of the environment, and what it answers ----------------------------------


class ResolveFunction(Action, kind="forms.resolve_function"):
    """Which functions are there for what the person wants?"""

    query: str


class FunctionCandidates(Observation, kind="forms.function_candidates"):
    """The functions that there are, each with a short description."""

    candidates: tuple[dict[str, str], ...]


class InspectFunction(Action, kind="forms.inspect_function"):
    """What does a function need?"""

    function: str


class FunctionSchema(Observation, kind="forms.function_schema"):
    """A function with its slots and docs."""

    form: dict[str, JsonValue]


class CallFunction(Action, kind="forms.call_function"):
    """The request is sent."""

    function: str
    arguments: dict[str, JsonValue] = Field(default_factory=dict)


class FunctionResult(Observation, kind="forms.function_result"):
    """What became of the request."""

    function: str
    result: JsonValue = None


class Exit(Action, kind="forms.exit"):
    """The conversation ends without a request."""


class Goodbye(Observation, kind="forms.goodbye"):
    """The environment knows that the conversation has ended."""


# --- what the agent makes of what the person said -------------------------------------------


class GatherValues(Thought, kind="forms.gather_values"):
    """What the person said of slots, in their own words; `<|skip|>` where they want to skip."""

    function: str
    parameters: dict[str, JsonValue] = Field(default_factory=dict)


class Verified(BaseModel):
    """A gathered value, read and held against the form."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: JsonValue = None
    status: Literal["valid", "invalid"]
    explanation: str = ""


class VerifyValues(Thought, kind="forms.verify_values"):
    """Which of the gathered values fit the form."""

    function: str
    parameters: dict[str, Verified] = Field(default_factory=dict)


class UpdateParameters(Thought, kind="forms.update_parameters"):
    """Slots are filled, or skipped."""

    function: str
    assign: dict[str, JsonValue] = Field(default_factory=dict)
    skip: tuple[str, ...] = ()


# --- what the agent means to say ------------------------------------------------------------


class RequestFunction(Thought, kind="forms.request_function"):
    """Ask which function is wanted, and offer some."""

    functions: tuple[str, ...] = ()


class RequestParameters(Thought, kind="forms.request_parameters"):
    """Ask for the values of slots."""

    function: str
    parameters: tuple[str, ...]


class RequestCallConfirmation(Thought, kind="forms.request_call_confirmation"):
    """Ask whether the request may be sent as it is."""

    function: str


class RequestExitConfirmation(Thought, kind="forms.request_exit_confirmation"):
    """Ask whether the person really wants to leave."""


class RefuseInvalidValue(Thought, kind="forms.refuse_invalid_value"):
    """A value cannot be taken for a slot."""

    function: str
    parameter: str
    value: JsonValue = None


class RefuseInvalidSkip(Thought, kind="forms.refuse_invalid_skip"):
    """A slot cannot be skipped."""

    function: str
    parameter: str


class RefuseUnknownFunction(Thought, kind="forms.refuse_unknown_function"):
    """What the person wants is none of the functions."""


class RefuseUnknownParameter(Thought, kind="forms.refuse_unknown_parameter"):
    """The function has no such slot; `name` is what the person called it."""

    function: str
    name: str = ""


class RefuseToEngage(Thought, kind="forms.refuse_to_engage"):
    """What the person says is none of the agent's business."""


class AnswerFromDocs(Thought, kind="forms.answer_from_docs"):
    """Answer questions from the docs of the function."""

    function: str
    questions: tuple[str, ...]


class NoAnswerInDocs(Thought, kind="forms.no_answer_in_docs"):
    """Say that the docs do not answer some questions."""

    function: str
    questions: tuple[str, ...]


# --- what went wrong ------------------------------------------------------------------------

StepErrorCode: TypeAlias = Literal[
    "already_asked",
    "already_filled",
    "ended",
    "invalid_value",
    "missing_parameters",
    "no_function",
    "not_applicable",
    "not_confirmed",
    "not_gathered",
    "optional_skip",
    "out_of_order",
    "required_skip",
    "unknown_function",
    "unknown_parameter",
    "unreadable",
    "valid_value",
    "wrong_function",
    "wrong_values",
]


class StepError(Observation, kind="forms.step_error"):
    """A step that does not fit the form, or the conversation; it was not taken."""

    code: StepErrorCode
    message: str
    step: dict[str, JsonValue] = Field(default_factory=dict)


PLANS: tuple[type[Body], ...] = (
    RequestFunction, RequestParameters, RequestCallConfirmation, RequestExitConfirmation,
    CallFunction, Exit,
)  # fmt: skip
"""Steps that say how the turn goes on: one in a turn."""

RESPONSES: tuple[type[Body], ...] = (
    RefuseInvalidValue, RefuseInvalidSkip, RefuseUnknownFunction, RefuseUnknownParameter,
    RefuseToEngage, AnswerFromDocs, NoAnswerInDocs,
)  # fmt: skip
"""Steps that respond to something that the person said, other than a value."""

_WRITTEN: tuple[type[Body], ...] = (
    ResolveFunction, InspectFunction, GatherValues, VerifyValues, UpdateParameters,
)  # fmt: skip
STEPS: dict[str, type[Body]] = {
    cls.kind.removeprefix("forms."): cls for cls in (*_WRITTEN, *RESPONSES, *PLANS)
}
"""The steps that a model can write, by the name by which it does."""


def as_written(step: Body) -> dict[str, JsonValue]:
    """A step as a model writes it."""
    return {"kind": step.kind.removeprefix("forms."), **step.model_dump(mode="json")}
