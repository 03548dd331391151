"""The state machine: what fits is taken, what does not becomes a typed error."""

from __future__ import annotations

import random
from typing import Any, get_args

import pytest
from examples.forms.form import Form
from examples.forms.goal import goal_for, sample_goal
from examples.forms.loader import companies
from examples.forms.state import FormState, StepFault, checked
from examples.forms.steps import (
    STEPS,
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
    RequestCallConfirmation,
    RequestFunction,
    RequestParameters,
    StepError,
    StepErrorCode,
    UpdateParameters,
    Verified,
    VerifyValues,
)
from examples.forms.values import SKIP, read_value, same_value, write_value
from forms_dialogues import agent_says, user_says
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playhead.tape import Body

COMPANY = companies()["northline"]
FORM = COMPANY.forms["BookBicycle"]  # booking_code, bicycle_type, battery_removed?, number
F = FORM.name


def begun() -> FormState:
    """A conversation about the form, just after the person has said something."""
    steps: list[Body] = [
        user_says("I would like to book a bicycle."),
        FunctionCandidates(candidates=tuple(COMPANY.candidates)),
        InspectFunction(function=F),
        FunctionSchema(form=FORM.told()),
    ]
    return through(FormState(), *steps)


def through(state: FormState, *steps: Body) -> FormState:
    for step in steps:
        state = state.after(step)
    return state


def filling(**values: Any) -> list[Body]:
    """A turn in which values are gathered, verified and filled in."""
    verified = {name: Verified(value=value, status="valid") for name, value in values.items()}
    return [
        GatherValues(function=F, parameters=values),
        VerifyValues(function=F, parameters=verified),
        UpdateParameters(function=F, assign=values),
    ]


def told(text: str = "yes") -> list[Body]:
    """The agent speaks, and the person answers."""
    return [agent_says("…"), user_says(text)]


def full() -> FormState:
    values = {"booking_code": "QK4471", "bicycle_type": "tandem", "number_of_bicycles": 1}
    return through(begun(), *filling(**values))


def test_a_whole_conversation() -> None:
    state = through(full(), RequestCallConfirmation(function=F), *told(), *filling())
    assert state.filled == {
        "booking_code": "QK4471",
        "bicycle_type": "tandem",
        "number_of_bicycles": 1,
    }
    call = CallFunction(function=F, arguments=dict(state.filled))
    state = through(state, call, FunctionResult(function=F, result={}))
    assert state.ended == "called"


def verifying(name: str, value: Any, status: str) -> list[Body]:
    verified = {name: Verified.model_validate({"value": value, "status": status})}
    return [
        GatherValues(function=F, parameters={name: value}),
        VerifyValues(function=F, parameters=verified),
    ]


def confirmed() -> FormState:
    return through(full(), RequestCallConfirmation(function=F), *told())


WRONG: list[tuple[FormState, list[Body], str]] = [
    (FormState(), [GatherValues(function=F)], "no_function"),
    (begun(), [GatherValues(function="BookSeat")], "wrong_function"),
    (begun(), [GatherValues(function=F, parameters={"colour": "red"})], "unknown_parameter"),
    (begun(), [UpdateParameters(function=F)], "out_of_order"),
    (begun(), [InspectFunction(function="BuyTrain")], "unknown_function"),
    (begun(), [InspectFunction(function=F)], "already_asked"),
    (begun(), [RefuseUnknownFunction()], "wrong_function"),
    (begun(), verifying("number_of_bicycles", 12, "valid"), "invalid_value"),
    (begun(), verifying("bicycle_type", "tandem", "invalid"), "valid_value"),
    (begun(), verifying("battery_removed", True, "valid"), "not_applicable"),
    (begun(), verifying("booking_code", SKIP, "valid"), "required_skip"),
    (
        begun(),
        [GatherValues(function=F), VerifyValues(function=F, parameters={
            "booking_code": Verified(value="QK4471", status="valid")})],
        "not_gathered",
    ),
    (
        begun(),
        [*verifying("booking_code", "QK4471", "valid"),
         UpdateParameters(function=F, assign={"booking_code": "QK4472"})],
        "wrong_values",
    ),
    (
        begun(),
        [*verifying("booking_code", "QK4471", "valid"),
         UpdateParameters(function=F, assign={"bicycle_type": "tandem"})],
        "not_gathered",
    ),
    (
        begun(),
        [*verifying("booking_code", "QK4471", "valid"),
         UpdateParameters(function=F, skip=("booking_code",))],
        "required_skip",
    ),
    (
        begun(),
        [*verifying("bicycle_type", "tandem", "valid"),
         RefuseInvalidValue(function=F, parameter="bicycle_type")],
        "valid_value",
    ),
    (full(), [RequestParameters(function=F, parameters=("booking_code",))], "already_filled"),
    (full(), [RequestParameters(function=F, parameters=("battery_removed",))], "not_applicable"),
    (full(), [RequestParameters(function=F, parameters=())], "out_of_order"),
    (begun(), [RequestFunction(functions=("BuyTrain",))], "unknown_function"),
    (begun(), [RequestCallConfirmation(function=F)], "missing_parameters"),
    (full(), [RequestCallConfirmation(function=F), Exit()], "out_of_order"),
    (full(), [RequestCallConfirmation(function=F), NoAnswerInDocs(function=F, questions=())],
     "out_of_order"),
    (full(), [CallFunction(function=F, arguments=dict(full().filled))], "not_confirmed"),
    (confirmed(), [CallFunction(function=F)], "wrong_values"),
    (
        confirmed(),
        [*filling(number_of_bicycles=2),
         CallFunction(function=F, arguments={**full().filled, "number_of_bicycles": 2})],
        "not_confirmed",
    ),
    (begun(), [Exit()], "not_confirmed"),
    (
        through(confirmed(), CallFunction(function=F, arguments=dict(full().filled)),
                FunctionResult(function=F)),
        [RequestParameters(function=F, parameters=("booking_code",))],
        "ended",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("state", "steps", "code"), WRONG)
def test_a_wrong_step_becomes_a_typed_error(state: FormState, steps: list[Body], code: str) -> None:
    taken = checked(state, steps)
    assert len(taken) == 1
    error = taken[0]
    assert isinstance(error, StepError)
    assert error.code == code
    assert error.step["kind"] == steps[-1].kind.removeprefix("forms.")
    assert error.message


def test_every_code_is_tried() -> None:
    optional = COMPANY.forms["UpdateContact"]
    state = through(begun(), FunctionSchema(form=optional.told()))
    refused = [RefuseInvalidSkip(function=optional.name, parameter="new_email")]
    [error] = checked(state, refused)
    assert isinstance(error, StepError)
    tried = {code for _, _, code in WRONG} | {error.code, "unreadable"}
    assert tried == set(get_args(StepErrorCode))


def test_a_slot_that_no_longer_applies_loses_its_value() -> None:
    electric = filling(bicycle_type="electric bike", battery_removed=True)
    state = through(begun(), *electric, *told(), *filling(bicycle_type="tandem"))
    assert state.filled == {"bicycle_type": "tandem"}


FORMS = [form for company in companies().values() for form in company.forms.values()]


@given(st.sampled_from(FORMS), st.integers(0, 1000))
def test_goals_fit_their_forms(form: Form, seed: int) -> None:
    goal = goal_for(form, random.Random(seed))
    assert not form.missing(goal.values)
    for name, value in goal.values.items():
        assert form.slots[name].fault(value) is None
        assert form.slots[name].applies(goal.values)
        assert same_value(read_value(write_value(value), form.slots[name].schema), value)


def test_the_same_seed_gives_the_same_goal() -> None:
    assert sample_goal(COMPANY, "7") == sample_goal(COMPANY, "7")


JSON_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.lists(st.integers(), max_size=2),
    st.just(SKIP),
    st.just("tandem"),
)
PARAMETERS = st.dictionaries(st.sampled_from([*FORM.slots, "colour"]), JSON_VALUES, max_size=3)


@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no failure
@given(st.data())
def test_whatever_is_written_the_state_stays_sound(data: st.DataObject) -> None:
    state = begun()
    for _ in range(data.draw(st.integers(1, 12))):
        step = data.draw(steps())
        try:
            state = state.after(step)
        except StepFault:
            continue
        for name, value in state.filled.items():
            assert FORM.slots[name].fault(value) is None
            assert FORM.slots[name].applies(state.filled)
        assert all(not FORM.slots[name].required for name in state.skipped)
        assert not set(state.filled) & state.skipped
        if state.ended == "called":
            assert not FORM.missing(state.filled)


@st.composite
def steps(draw: st.DrawFn) -> Body:
    given = draw(PARAMETERS)
    cls = draw(st.sampled_from([*STEPS.values(), None]))
    if cls is None:
        return draw(st.sampled_from([user_says("yes"), agent_says("…")]))
    statuses = st.sampled_from(["valid", "invalid"])
    members: dict[str, Any] = {
        "function": draw(st.sampled_from([F, "BookSeat"])),
        "query": "",
        "parameter": draw(st.sampled_from([*FORM.slots, "colour"])),
        "assign": given,
        "skip": tuple(draw(st.sets(st.sampled_from(list(FORM.slots)), max_size=2))),
        "arguments": given,
        "questions": ("Why?",),
        "functions": ("BookSeat",),
    }
    if cls is VerifyValues:
        members["parameters"] = {
            name: {"value": value, "status": draw(statuses)} for name, value in given.items()
        }
    elif cls is RequestParameters:
        members["parameters"] = tuple(given)
    else:
        members["parameters"] = given
    known = {key: value for key, value in members.items() if key in cls.model_fields}
    return cls.model_validate(known)
