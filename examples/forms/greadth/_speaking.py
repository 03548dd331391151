"""Disciplined, Transparent and Helpful: what the agent does next, and how it says so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from examples.forms.dialogue import Dialogue, Turn
from examples.forms.form import Form
from examples.forms.greadth._finding import Finding, Letter, joined, names, sentences, stems
from examples.forms.steps import (
    PLANS,
    CallFunction,
    FunctionResult,
    RefuseInvalidSkip,
    RefuseInvalidValue,
    RefuseUnknownParameter,
    RequestCallConfirmation,
    RequestExitConfirmation,
    RequestFunction,
    RequestParameters,
    UpdateParameters,
)
from examples.forms.values import is_mentioned, write_value
from playhead.tape import Json

_ASSENT = re.compile(
    r"\b(?:yes|yeah|yep|correct|right|sure|go ahead|ok|okay|fine|confirm|please do|send it|"
    r"looks good|perfect|exactly)\b",
    re.IGNORECASE,
)
_SKIPPED = re.compile(r"\b(?:skip|left out|leave out|leaving|without|omit|blank|empty)", re.I)
_MAY_SKIP = re.compile(r"\b(?:skip\b|optional|if any|if you (?:like|want|wish|have)|leave)", re.I)
_MOST_CHOICES = 12  # a longer list need not be told


def disciplined(dialogue: Dialogue, turn: Turn) -> Iterator[Finding]:
    """The procedure is kept: every step fits, one plan a turn, no request without a yes."""
    for error in turn.refused:
        yield Finding("disciplined", turn.number, error.code, error.message)
    for fault in turn.faults:
        yield Finding("disciplined", turn.number, fault.code, fault.message)
    for call in turn.of(CallFunction):
        if not _ASSENT.search(turn.user):
            yield Finding(
                "disciplined", turn.number, "without_yes",
                f"`{call.function}` was called after `{turn.user[:80]}`",
            )  # fmt: skip
    if turn.message is not None and turn.after.form is not None and not turn.of(*PLANS):
        yield Finding("disciplined", turn.number, "no_plan", "nothing says how it goes on")


# --- transparent ----------------------------------------------------------------------------


def transparent(dialogue: Dialogue, turn: Turn) -> Iterator[Finding]:
    """The person is told what was noted, skipped, refused, and is about to be sent."""
    form = turn.after.form
    if form is None or turn.message is None:
        return
    told = " ".join(each for each in sentences(turn.message) if not each.endswith("?"))
    over = bool(turn.of(CallFunction))
    for update in turn.of(UpdateParameters):
        for name, value in update.assign.items():
            if not over and name in form.slots and not _tells(turn.message, form, name, value):
                yield _hidden(turn, "unsaid_update", f"that `{name}` is `{write_value(value)}`")
        for name in update.skip:
            if not (names(told, _label(form, name)) and _SKIPPED.search(told)):
                yield _hidden(turn, "unsaid_skip", f"that `{name}` is skipped")
    for refusal in turn.of(RefuseInvalidValue, RefuseInvalidSkip):
        if not names(told, _label(form, refusal.parameter)):
            yield _hidden(turn, "unsaid_refusal", f"why `{refusal.parameter}` is not taken")
    for refusal in turn.of(RefuseUnknownParameter):
        if refusal.name and not names(told, refusal.name):
            yield _hidden(turn, "unsaid_refusal", f"that there is no `{refusal.name}`")
    if turn.of(RequestCallConfirmation):
        for name, value in turn.after.filled.items():
            if not _tells(turn.message, form, name, value):
                yield _hidden(turn, "unsaid_request", f"`{name}`, which is about to be sent")
    yield from _result_hidden(turn)


def _tells(message: str, form: Form, name: str, value: Json) -> bool:
    told = " ".join(each for each in sentences(message) if not each.endswith("?"))
    if isinstance(value, bool):
        return names(told, _label(form, name))
    if any(names(slot.label, write_value(value)) for slot in form.slots.values()):
        return is_mentioned(value, told)  # a question may name a slot that is called alike
    return is_mentioned(value, message)


def _label(form: Form, name: str) -> str:
    slot = form.slots.get(name)
    return slot.label if slot is not None else name


def _result_hidden(turn: Turn) -> Iterator[Finding]:
    for step in turn.of(FunctionResult):
        result = step.result if isinstance(step.result, dict) else {}
        number = result.get("request_id")
        if number and turn.message is not None and str(number) not in turn.message:
            yield _hidden(turn, "unsaid_result", "the number of the request")


def _hidden(turn: Turn, code: str, what: str) -> Finding:
    return Finding("transparent", turn.number, code, f"the message does not tell {what}")


# --- helpful --------------------------------------------------------------------------------


def helpful(dialogue: Dialogue, turn: Turn) -> Iterator[Finding]:
    """The message says what is next, and all that the person needs to answer."""
    if turn.message is None:
        return
    for step in turn.of(RequestFunction):
        if step.functions and not any(_offers(turn.message, name) for name in step.functions):
            yield _unhelpful(turn, "no_offer", f"offers none of {joined(step.functions)}")
    for _ in turn.of(RequestCallConfirmation, RequestExitConfirmation):
        if "?" not in turn.message and not re.search(r"\bconfirm\b", turn.message, re.I):
            yield _unhelpful(turn, "no_question", "does not ask for a yes or no")
    form = turn.after.form
    if form is None:
        return
    for step in turn.of(RequestParameters):
        for name in step.parameters:
            yield from _request(turn, form, name)
    for refusal in turn.of(RefuseInvalidValue):
        yield from _choices(turn, form, refusal.parameter)


def _request(turn: Turn, form: Form, name: str) -> Iterator[Finding]:
    assert turn.message is not None
    slot = form.slots.get(name)
    if slot is None:
        return
    asking = [each for each in sentences(turn.message) if _asks(each)]
    words = stems(slot.label) or {slot.label}
    if not any(words & stems(each) or names(each, slot.label) for each in asking):
        yield _unhelpful(turn, "no_request", f"does not ask for `{name}`")
    yield from _choices(turn, form, name)
    if not slot.required and not _MAY_SKIP.search(turn.message):
        yield _unhelpful(turn, "skip_untold", f"does not tell that `{name}` may be skipped")


def _asks(sentence: str) -> bool:
    return (
        sentence.endswith("?")
        or re.search(r"\b(?:please|enter|tell|provide)\b", sentence, re.I) is not None
    )


def _choices(turn: Turn, form: Form, name: str) -> Iterator[Finding]:
    assert turn.message is not None
    slot = form.slots.get(name)
    if slot is None or not 0 < len(slot.choices) <= _MOST_CHOICES:
        return
    untold = [
        write_value(c) for c in slot.choices if not is_mentioned(write_value(c), turn.message)
    ]
    if untold:
        yield _unhelpful(turn, "choices_untold", f"does not tell {joined(untold)} of `{name}`")


def _offers(message: str, function: str) -> bool:
    words = stems(re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", function))
    return 2 * len(words & stems(message)) >= len(words)


def _unhelpful(turn: Turn, code: str, what: str) -> Finding:
    letter: Letter = "helpful"
    return Finding(letter, turn.number, code, f"the message {what}")
