"""Plants faults in dialogues. It knows the steps and the form, and nothing of any metric.

A fault is planted in one turn, and the tape ends with that turn, so that nothing follows from it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from examples.forms.errors import FormError
from examples.forms.form import Form, Slot
from examples.forms.goal import sample_value
from examples.forms.steps import (
    AnswerFromDocs,
    CallFunction,
    FunctionResult,
    FunctionSchema,
    GatherValues,
    NoAnswerInDocs,
    RefuseInvalidSkip,
    RefuseInvalidValue,
    RequestCallConfirmation,
    RequestParameters,
    UpdateParameters,
    Verified,
    VerifyValues,
)
from examples.forms.values import same_value, write_value
from playhead.tape import Body, By, Draft, Json, Tape, text_parts
from playhead.tape.kinds import AssistantMessage, UserMessage

B = TypeVar("B", bound=Body)
Bodies = list[Body]
Plant = Callable[["TurnSteps", random.Random], Bodies | None]
_BY = By("importer", name="mutate")  # not the agent: it made another turn
_INVENTED = ("in 4711 hours", "for 3457 euros", "within 1733 minutes")


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault.

    Args:
        name: Its name.
        letter: What it breaks, as docs/forms.md defines the letters.
        plant: Gives the steps of a turn with the fault; None where it cannot be planted.
    """

    name: str
    letter: str
    plant: Plant


@dataclass(frozen=True, slots=True)
class TurnSteps:
    """A turn to plant a fault in: what came before, and the agent's steps."""

    before: Sequence[Body]
    steps: Sequence[Body]

    def first(self, kind: type[B]) -> B | None:
        """The first step of a kind in the turn."""
        return next((step for step in self.steps if isinstance(step, kind)), None)

    @property
    def form(self) -> Form | None:
        """The form that is filled in."""
        known = [step for step in (*self.before, *self.steps) if isinstance(step, FunctionSchema)]
        return Form.of(known[-1].form) if known else None

    @property
    def filled(self) -> dict[str, Json]:
        """What was filled in before the turn."""
        filled: dict[str, Json] = {}
        for step in self.before:
            if isinstance(step, UpdateParameters):
                filled |= step.assign
        return filled

    @property
    def message(self) -> str:
        """What the agent says."""
        said = self.first(AssistantMessage)
        return said.text if said is not None else ""

    def with_message(self, text: str) -> Bodies | None:
        """The steps with another message; None if that is no change."""
        if not text.strip() or text == self.message:
            return None
        said = AssistantMessage(parts=text_parts(text))
        return [said if isinstance(step, AssistantMessage) else step for step in self.steps]

    def replacing(self, *bodies: Body) -> Bodies:
        """The steps, where each of these takes the place of the one of its kind."""
        by_kind = {body.kind: body for body in bodies}
        return [by_kind.get(step.kind, step) for step in self.steps]


def plant(tape: Tape, name: str, rng: random.Random) -> Tape | None:
    """A copy of a dialogue that ends with a turn in which a fault is planted.

    Args:
        tape: A dialogue of the agents here.
        name: The fault.
        rng: Chooses the turn.

    Returns:
        The copy, in memory; None if the fault can be planted in no turn.

    Raises:
        FormError: There is no such fault.
    """
    if name not in FAULTS:
        raise FormError(f"there is no fault `{name}`: there are {', '.join(FAULTS)}")
    drafts = [
        Draft(step.body, by=step.by if step.by.type == "person" else _BY, id=step.id)
        for step in tape
        if step.role != "note" and not step.erased
    ]
    turns = list(_turns(drafts))
    rng.shuffle(turns)
    for begin, end in turns:
        turn = TurnSteps(
            [draft.body for draft in drafts[:begin]], [draft.body for draft in drafts[begin:end]]
        )
        planted = FAULTS[name].plant(turn, rng)
        if planted is not None:
            return Tape.new().append(*drafts[:begin], *(Draft(body, by=_BY) for body in planted))
    return None


def _turns(drafts: Sequence[Draft]) -> Iterator[tuple[int, int]]:
    """Where the agent's steps of each turn begin and end."""
    heard = [at for at, draft in enumerate(drafts) if isinstance(draft.body, UserMessage)]
    for begin, following in zip(heard, [*heard[1:], len(drafts)], strict=True):
        if following > begin + 1:
            yield begin + 1, following


# --- texts ----------------------------------------------------------------------------------


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?])\s+", text)


def _without(text: str, words: Sequence[str]) -> str:
    """The text without the sentences that hold one of these words and do not ask."""
    kept = [
        each
        for each in _sentences(text)
        if each.endswith("?") or not any(word.lower() in each.lower() for word in words)
    ]
    return " ".join(kept)


# --- grounded -------------------------------------------------------------------------------


def _invent_value(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """The agent hears a value that nobody said, and goes on with it."""
    gathered, verified, update, form = _read_values(turn)
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
        _copy(gathered, parameters={**gathered.parameters, slot.name: value}),
        _copy(verified, parameters={**verified.parameters, slot.name: _valid(value)}),
        _copy(update, assign=assign),
    )
    noted = f"Noted: the {slot.label} is {write_value(value)}. {turn.message}"
    return _then(changed, TurnSteps(turn.before, changed).with_message(noted))


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


# --- responsive -----------------------------------------------------------------------------


def _ignore_question(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """A question is passed over."""
    asked = [step for step in turn.steps if isinstance(step, AnswerFromDocs | NoAnswerInDocs)]
    if not asked or not turn.message:
        return None
    rest = TurnSteps(turn.before, [step for step in turn.steps if step not in asked])
    return rest.with_message(_sentences(turn.message)[-1]) or list(rest.steps)


def _drop_value(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """A value that was gathered and is valid is not filled in."""
    update = turn.first(UpdateParameters)
    if update is None or not update.assign or not turn.message:
        return None
    name = rng.choice(sorted(update.assign))
    left = {key: value for key, value in update.assign.items() if key != name}
    changed = TurnSteps(turn.before, turn.replacing(_copy(update, assign=left)))
    shorter = _without(turn.message, [write_value(update.assign[name])])
    return changed.with_message(shorter) or list(changed.steps)


def _overhear(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """All that was said of slots is passed over."""
    gathered, verified, update, _ = _read_values(turn)
    if gathered is None or verified is None or update is None or not gathered.parameters:
        return None
    names = set(gathered.parameters)
    kept = [
        step for step in turn.steps
        if not isinstance(step, RefuseInvalidValue | RefuseInvalidSkip)
        or step.parameter not in names
    ]  # fmt: skip
    return TurnSteps(turn.before, kept).replacing(
        _copy(gathered, parameters={}), _copy(verified, parameters={}),
        _copy(update, assign={}, skip=()),
    )  # fmt: skip


# --- accurate -------------------------------------------------------------------------------


def _alter_value(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """A value is read as another one."""
    _, verified, update, form = _read_values(turn)
    if verified is None or update is None or form is None or not update.assign:
        return None
    name = rng.choice(sorted(update.assign))
    value, slot = update.assign[name], form.slots[name]
    others = [sample_value(slot, rng) for _ in range(8)]
    other = next((o for o in others if slot.fault(o) is None and not same_value(o, value)), None)
    if other is None:
        return None
    changed = turn.replacing(
        _copy(verified, parameters={**verified.parameters, name: _valid(other)}),
        _copy(update, assign={**update.assign, name: other}),
    )
    text = turn.message.replace(write_value(value), write_value(other))
    return _then(changed, TurnSteps(turn.before, changed).with_message(text))


def _swap_values(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """Two values are taken for each other's slots."""
    gathered, verified, update, form = _read_values(turn)
    if gathered is None or verified is None or update is None or form is None:
        return None
    for one in update.assign:
        for other in update.assign:
            a, b = update.assign[one], update.assign[other]
            fits = form.slots[one].fault(b) is None and form.slots[other].fault(a) is None
            if one < other and fits and not same_value(a, b):
                exchanged = {one: b, other: a}
                valid = {name: _valid(value) for name, value in exchanged.items()}
                return turn.replacing(
                    _copy(verified, parameters={**verified.parameters, **valid}),
                    _copy(update, assign={**update.assign, **exchanged}),
                )
    return None


def _accept_invalid(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """A value that does not fit is taken."""
    _, verified, update, _ = _read_values(turn)
    refusal = turn.first(RefuseInvalidValue)
    if verified is None or update is None or refusal is None:
        return None
    name = refusal.parameter
    value = verified.parameters[name].value
    kept = TurnSteps(turn.before, [step for step in turn.steps if step is not refusal])
    changed = kept.replacing(
        _copy(verified, parameters={**verified.parameters, name: _valid(value)}),
        _copy(update, assign={**update.assign, name: value}),
    )
    text = f"Noted: it is {write_value(value)}. {_sentences(turn.message)[-1]}"
    return _then(changed, TurnSteps(turn.before, changed).with_message(text))


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
    return turn.replacing(_copy(call, arguments={**call.arguments, name: other}))


# --- disciplined ----------------------------------------------------------------------------


def _ask_again(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """The agent asks for what it knows."""
    plan, form = turn.first(RequestParameters), turn.form
    known = sorted(name for name in turn.filled if form is not None and name in form.slots)
    if plan is None or form is None or not known:
        return None
    slot = form.slots[rng.choice(known)]
    if not slot.applies(turn.filled):
        return None
    text = f"{_without(turn.message, ['?'])} What is the {slot.label}?"
    changed = turn.replacing(_copy(plan, parameters=(slot.name,)))
    return _then(changed, TurnSteps(turn.before, changed).with_message(text))


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


# --- transparent ----------------------------------------------------------------------------


def _hide_update(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """What was noted is not said."""
    update, form = turn.first(UpdateParameters), turn.form
    if update is None or form is None or not update.assign or turn.first(RequestCallConfirmation):
        return None
    words = [w for n, v in update.assign.items() for w in (write_value(v), form.slots[n].label)]
    return turn.with_message(_without(turn.message, words))


def _hide_skip(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """What was skipped is not said."""
    update, form = turn.first(UpdateParameters), turn.form
    if update is None or form is None or not update.skip:
        return None
    words = [form.slots[name].label for name in update.skip]
    return turn.with_message(_without(turn.message, [f"{word} is skipped" for word in words]))


def _hide_refusal(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """A value or a wish is refused without a word."""
    refusal, form = turn.first(RefuseInvalidValue) or turn.first(RefuseInvalidSkip), turn.form
    if refusal is None or form is None:
        return None
    return turn.with_message(_without(turn.message, [form.slots[refusal.parameter].label]))


def _hide_request(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """The person is to confirm a request that they are not shown."""
    if turn.first(RequestCallConfirmation) is None:
        return None
    return turn.with_message("May I send the request?")


# --- helpful --------------------------------------------------------------------------------


def _hide_choices(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """What can be chosen is not said."""
    plan, form = turn.first(RequestParameters), turn.form
    if plan is None or form is None or not (choices := form.slots[plan.parameters[0]].choices):
        return None
    kept = [
        each for each in _sentences(turn.message)
        if not all(write_value(choice) in each for choice in choices)
    ]  # fmt: skip
    return turn.with_message(" ".join(kept))


def _hide_option(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """That a slot may be skipped is not said."""
    plan, form = turn.first(RequestParameters), turn.form
    if plan is None or form is None or form.slots[plan.parameters[0]].required:
        return None
    return turn.with_message(_without(turn.message, ["you can skip"]))


def _fall_silent(turn: TurnSteps, rng: random.Random) -> Bodies | None:
    """The message does not say what is next."""
    if turn.first(RequestParameters) is None:
        return None
    kept = [each for each in _sentences(turn.message) if each.startswith("Noted")]
    return turn.with_message(" ".join(kept) or "I see.")


# --- steps ----------------------------------------------------------------------------------


def _read_values(
    turn: TurnSteps,
) -> tuple[GatherValues | None, VerifyValues | None, UpdateParameters | None, Form | None]:
    return (
        turn.first(GatherValues), turn.first(VerifyValues), turn.first(UpdateParameters), turn.form
    )  # fmt: skip


def _valid(value: Json) -> Verified:
    return Verified(value=value, status="valid")


def _copy(body: B, **members: Any) -> B:  # noqa: ANN401  (the members of the step)
    return body.model_copy(update=members)


def _then(changed: Bodies, said: Bodies | None) -> Bodies:
    return changed if said is None else said


FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault("invent_value", "grounded", _invent_value),
        Fault("invent_fact", "grounded", _invent_fact),
        Fault("ignore_question", "responsive", _ignore_question),
        Fault("drop_value", "responsive", _drop_value),
        Fault("overhear", "responsive", _overhear),
        Fault("alter_value", "accurate", _alter_value),
        Fault("swap_values", "accurate", _swap_values),
        Fault("accept_invalid", "accurate", _accept_invalid),
        Fault("wrong_argument", "accurate", _wrong_argument),
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
}
