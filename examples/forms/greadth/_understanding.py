"""Grounded, Responsive and Accurate: what the agent makes of what the person says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from examples.forms.dialogue import Dialogue, Turn
from examples.forms.form import Form, Slot
from examples.forms.greadth._finding import Finding, attributed, questions
from examples.forms.steps import (
    PLANS,
    RESPONSES,
    CallFunction,
    Exit,
    FunctionResult,
    GatherValues,
    InspectFunction,
    RefuseInvalidSkip,
    RefuseInvalidValue,
    RequestExitConfirmation,
    RequestFunction,
    UpdateParameters,
    VerifyValues,
)
from examples.forms.values import (
    NO,
    SKIP,
    YES,
    is_mentioned,
    numbers_in,
    plain,
    read_value,
    same_value,
    write_value,
)
from playhead.tape import Json

_ADDRESS = re.compile(r"[^\s@,;]+@[^\s@,;]+\.\w+")


# --- grounded -------------------------------------------------------------------------------


def grounded(dialogue: Dialogue, turn: Turn) -> Iterator[Finding]:
    """What is attributed to the person was said; what is told as a fact stands somewhere."""
    said = dialogue.said_by_user(until=turn.number)
    values = dict(_attributed_values(turn))
    for name, value in values.items():
        if value != SKIP and not (_was_said(value, said) and _often_enough(value, values, turn)):
            yield Finding(
                "grounded", turn.number, "unsaid_value",
                f"`{write_value(value)}` is taken for `{name}`, and nobody said so",
            )  # fmt: skip
    if turn.message is not None:
        told = _facts(turn.message)
        known = set(_facts(_sources(dialogue, turn, said))) if told else set()
        for fact in told:
            if fact not in known:
                yield Finding(
                    "grounded", turn.number, "unsourced_fact",
                    f"the message tells `{fact}`, which stands neither in the form nor in what "
                    "was said",
                )  # fmt: skip


def _attributed_values(turn: Turn) -> Iterator[tuple[str, Json]]:
    """What the agent says that the person said; where it gathers nothing, what it fills in."""
    gathered = turn.of(GatherValues)
    for step in gathered:
        yield from step.parameters.items()
    if not gathered:
        for step in turn.of(UpdateParameters):
            yield from step.assign.items()


def _often_enough(value: Json, values: dict[str, Json], turn: Turn) -> bool:
    """Whether a value that several slots have was said as often, where it stands in the message."""
    times = sum(same_value(value, other) for other in values.values())
    said = len(re.findall(rf"(?<!\w){re.escape(plain(value))}(?!\w)", plain(turn.user)))
    return times == 1 or said == 0 or times <= said


def _was_said(value: Json, said: str) -> bool:
    if isinstance(value, bool):
        words = set(re.findall(r"\w+", said.casefold()))
        return bool(words & (YES if value else NO)) or "please" in words
    if isinstance(value, list):
        return all(_was_said(item, said) for item in value)
    return is_mentioned(value, said)


def _sources(dialogue: Dialogue, turn: Turn, said: str) -> str:
    """All that the agent can know when it speaks."""
    pieces: list[str] = [said]
    form = turn.after.form
    if form is not None:
        pieces.append(json.dumps(form.told(), ensure_ascii=False))
    if turn.after.candidates:
        pieces.append(json.dumps(dict(turn.after.candidates), ensure_ascii=False))
    pieces += [write_value(value) for value in turn.after.filled.values()]
    for each in dialogue.turns[: turn.number + 1]:
        for step in (*each.of(FunctionResult), *each.of(UpdateParameters), *each.of(VerifyValues)):
            pieces.append(json.dumps(step.model_dump(mode="json"), ensure_ascii=False))
    return "\n".join(pieces)


def _facts(text: str) -> list[str]:
    """What a program can hold against sources: numbers and addresses."""
    numbers = [write_value(number) for number in numbers_in(text)]
    return [*numbers, *(address.casefold().rstrip(".") for address in _ADDRESS.findall(text))]


# --- responsive -----------------------------------------------------------------------------


def responsive(dialogue: Dialogue, turn: Turn) -> Iterator[Finding]:
    """Whatever the person says has a consequence in the turn."""
    taken = turn.of(*RESPONSES, RequestFunction, InspectFunction, RequestExitConfirmation)
    ends = turn.of(CallFunction, Exit)
    updates = turn.of(UpdateParameters)
    changed = any(step.assign or step.skip for step in updates)
    asked = questions(turn.user)
    if asked and not (taken or changed or ends):
        yield Finding("responsive", turn.number, "open_question", f"`{asked[0]}` has no answer")
    gathered = {name for step in turn.of(GatherValues) for name in step.parameters}
    yield from _not_disposed(turn, gathered)
    waiting = turn.before.awaiting
    decided = waiting in ("call", "exit") and turn.of(*PLANS)
    if turn.number and not (gathered or taken or changed or ends or decided or asked):
        yield Finding(
            "responsive", turn.number, "passed_over", "the agent made nothing of what was said"
        )
    if turn.before.form is not None and turn.of(GatherValues):
        yield from _unheard(turn, turn.before.form, gathered)


def _not_disposed(turn: Turn, gathered: set[str]) -> Iterator[Finding]:
    """Each gathered value is filled in, skipped or refused."""
    disposed = {
        name for step in turn.of(UpdateParameters) for name in (*step.assign, *step.skip)
    } | {step.parameter for step in turn.of(RefuseInvalidValue, RefuseInvalidSkip)}
    for name in sorted(gathered - disposed):
        yield Finding(
            "responsive", turn.number, "dropped_value",
            f"what was said of `{name}` is neither taken nor refused",
        )  # fmt: skip


def _unheard(turn: Turn, form: Form, gathered: set[str]) -> Iterator[Finding]:
    """Each value that the person gives by the name of its slot is gathered."""
    text = "\n".join(line for line in turn.user.splitlines() if not line.rstrip().endswith("?"))
    for slot, value in attributed(text, form):
        if slot.name not in gathered and re.search(r"\w", value):
            yield Finding(
                "responsive", turn.number, "unheard_value",
                f"the person tells `{slot.name}`, and it is not gathered",
            )  # fmt: skip


# --- accurate -------------------------------------------------------------------------------


def accurate(dialogue: Dialogue, turn: Turn) -> Iterator[Finding]:
    """Values are read as they are meant, and checked as the form says."""
    form = turn.after.form
    if form is None:
        return
    gathered = {n: value for step in turn.of(GatherValues) for n, value in step.parameters.items()}
    yield from _misattributed(turn, form, gathered)
    for step in turn.of(VerifyValues):
        for name, verified in step.parameters.items():
            if (slot := form.slots.get(name)) is None:
                continue
            read = read_value(gathered.get(name), slot.schema)
            valid = verified.status == "valid"
            if valid and not same_value(read, verified.value):
                yield _inaccurate(turn, "misread", name, f"`{read}` became `{verified.value}`")
            elif valid and verified.value == SKIP and slot.required:
                yield _inaccurate(turn, "wrong_skip", name, "it is required, and was skipped")
            elif valid and verified.value != SKIP and (fault := slot.fault(verified.value)):
                yield _inaccurate(turn, "accepted_invalid", name, f"it {fault}")
            elif not valid and read != SKIP and _fits(turn, slot, read):
                yield _inaccurate(turn, "refused_valid", name, f"`{read}` fits")
    verified_all = {n: v for s in turn.of(VerifyValues) for n, v in s.parameters.items()}
    for update in turn.of(UpdateParameters):
        for name, value in update.assign.items():
            known = verified_all.get(name)
            if known is not None and not same_value(known.value, value):
                yield _inaccurate(
                    turn, "wrong_update", name, f"`{known.value}` was filled in as `{value}`"
                )
            slot = form.slots.get(name)
            if slot is not None and known is None and (fault := slot.fault(value)):
                yield _inaccurate(turn, "accepted_invalid", name, f"it {fault}")
    yield from _wrong_call(turn)


def _fits(turn: Turn, slot: Slot, value: Json) -> bool:
    """Whether a value is certainly one of a slot, whatever the docs say in prose."""
    applies = slot.applies({**turn.before.filled, **turn.after.filled})
    return slot.is_closed and applies and slot.fault(value) is None


def _misattributed(turn: Turn, form: Form, gathered: dict[str, Json]) -> Iterator[Finding]:
    """A value that the person gives by name stands under that name."""
    for slot, text in attributed(turn.user, form):
        value = gathered.get(slot.name)
        if value in (None, SKIP) or isinstance(value, bool):
            continue
        if plain(value) not in plain(text) and not is_mentioned(value, text):
            yield _inaccurate(turn, "misattributed", slot.name, f"`{value}` was said of another")


def _wrong_call(turn: Turn) -> Iterator[Finding]:
    for call in turn.of(CallFunction):
        filled = turn.before.filled
        for name in sorted(set(filled) | set(call.arguments)):
            if not same_value(filled.get(name), call.arguments.get(name)):
                yield _inaccurate(turn, "wrong_argument", name, "the request has another value")


def _inaccurate(turn: Turn, code: str, name: str, why: str) -> Finding:
    return Finding("accurate", turn.number, code, f"`{name}`: {why}")
