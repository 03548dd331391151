"""How a simulated user behaves in a turn, and where each behaviour may be applied."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from examples.forms.errors import FormError
from examples.forms.form import Slot
from examples.forms.goal import Goal
from examples.forms.state import FormState
from examples.forms.values import same_value

Filter: TypeAlias = Callable[[FormState, Goal], bool]
Group: TypeAlias = Literal["opening", "turn", "answer"]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One way of behaving in a turn.

    Args:
        name: By which settings name it.
        instruction: What a model is told to do.
        applies: Where it may be applied: `applies(state, goal)`.
        weight: How often it is chosen, beside the others that may be.
        group: `opening` begins a conversation; `answer` replies to a question for yes or no.
    """

    name: str
    instruction: str
    applies: Filter
    weight: float = 1.0
    group: Group = "turn"


def asked_slot(state: FormState, goal: Goal) -> Slot | None:
    """The first slot that the agent asks for."""
    if state.form is None or not state.asked:
        return None
    return state.form.slots.get(state.asked[0])


def right_form(state: FormState, goal: Goal) -> bool:
    """Whether the agent works on the form that the person wants, and has not ended."""
    return state.form is not None and state.form.name == goal.function and state.ended is None


def wanting(state: FormState, goal: Goal) -> list[str]:
    """The slots of the goal that are not filled yet, those that are asked for first."""
    left = [name for name in goal.values if name not in state.filled]
    return sorted(left, key=lambda name: name not in state.asked)


def to_correct(state: FormState, goal: Goal) -> list[str]:
    """The slots that are filled with something else than the person wants."""
    return [
        name
        for name, value in goal.values.items()
        if name in state.filled and not same_value(state.filled[name], value)
    ]


def _no_form(state: FormState, goal: Goal) -> bool:
    return state.form is None and state.ended is None


def _first(state: FormState, goal: Goal) -> bool:
    return _no_form(state, goal) and state.candidates is None


def _waits(what: str) -> Filter:
    return lambda state, goal: right_form(state, goal) and state.awaiting == what


def _asked(test: Callable[[Slot, Goal], bool]) -> Filter:
    def applies(state: FormState, goal: Goal) -> bool:
        slot = asked_slot(state, goal)
        return right_form(state, goal) and slot is not None and test(slot, goal)

    return applies


def _wanted(slot: Slot, goal: Goal) -> bool:
    return slot.name in goal.values


def _several_left(state: FormState, goal: Goal) -> bool:
    applicable = {slot.name for slot in state.form.applicable(state.filled)} if state.form else ()
    left = [name for name in wanting(state, goal) if name in applicable]
    slot = asked_slot(state, goal)
    return right_form(state, goal) and slot is not None and _wanted(slot, goal) and len(left) >= 2


def _can_be_wrong(slot: Slot, goal: Goal) -> bool:
    bounded = "minimum" in slot.schema or "maximum" in slot.schema
    return slot.is_closed or bounded or slot.schema.get("format") in ("date", "email")


def _in_the_middle(state: FormState, goal: Goal) -> bool:
    return right_form(state, goal) and state.awaiting in ("values", "call")


def _correctable(state: FormState, goal: Goal) -> bool:
    return _in_the_middle(state, goal) and bool(to_correct(state, goal))


def _all_right(state: FormState, goal: Goal) -> bool:
    return _waits("call")(state, goal) and not to_correct(state, goal)


_BRIEFLY = "in as few words as possible"
_HAPPY = "Answer what the agent asks, with the value of your goal"
_SEVERAL = "Tell the values of two or three parameters at once"

BEHAVIOURS: dict[str, Behaviour] = {
    each.name: each
    for each in (
        Behaviour("init_short", "Say briefly which request you have.", _first, 4, "opening"),
        Behaviour("init_ask", "Ask what the agent can do for you.", _first, 1, "opening"),
        Behaviour(
            "init_unknown", "Ask for something that this company does not do.", _first, 1, "opening"
        ),
        Behaviour(
            "name_function",
            "Say which request you have.",
            lambda state, goal: _no_form(state, goal) and state.candidates is not None,
            1,
            "answer",
        ),
        Behaviour("happy_terse", f"{_HAPPY} alone, {_BRIEFLY}.", _asked(_wanted), 3),
        Behaviour("happy_polite", f"{_HAPPY}, in a polite sentence.", _asked(_wanted), 3),
        Behaviour("happy_chatty", f"{_HAPPY}, after some friendly words.", _asked(_wanted), 2),
        Behaviour("multislot_list", f"{_SEVERAL}, as a list.", _several_left, 2),
        Behaviour("multislot_sentence", f"{_SEVERAL}, in one sentence.", _several_left, 2),
        Behaviour("multislot_free", f"{_SEVERAL}, each in another way.", _several_left, 2),
        Behaviour(
            "skip_optional",
            "Skip the optional parameter that the agent asks for.",
            _asked(lambda slot, goal: not slot.required and slot.name not in goal.values),
            6,
        ),
        Behaviour(
            "skip_required",
            "Try to skip the required parameter that the agent asks for.",
            _asked(lambda slot, goal: slot.required),
        ),
        Behaviour("ask_docs", "Ask about something that the form explains.", _in_the_middle),
        Behaviour("ask_beyond", "Ask what the form does not explain.", _in_the_middle, 0.5),
        Behaviour(
            "invalid_value",
            "Give a value that the form does not allow for what the agent asks.",
            _asked(_can_be_wrong),
        ),
        Behaviour(
            "unknown_parameter", "Tell a detail that has no place in the form.", _in_the_middle, 0.5
        ),
        Behaviour("correct_self", "Correct a value that you gave before.", _correctable, 3),
        Behaviour("off_topic", "Say something of quite another kind.", _in_the_middle, 0.5),
        Behaviour("leave", "Say that you want to stop.", _in_the_middle, 0.3),
        Behaviour("confirm", "Confirm the request.", _all_right, 8, "answer"),
        Behaviour("confirm_leave", "Confirm that you want to stop.", _waits("exit"), 3, "answer"),
        Behaviour("stay", "Say that you want to go on after all.", _waits("exit"), 1, "answer"),
    )
}  # fmt: skip

PLAIN = (
    "happy_polite",
    "skip_optional",
    "correct_self",
    "confirm",
    "confirm_leave",
    "name_function",
)
"""What a user does who only wants to come to an end, the first that applies."""


def behaviour_named(name: str) -> Behaviour:
    """A behaviour by its name.

    Raises:
        FormError: There is none.
    """
    if name in BEHAVIOURS:
        return BEHAVIOURS[name]
    near = difflib.get_close_matches(name, BEHAVIOURS, n=1)
    hint = f": do you mean `{near[0]}`?" if near else f": there are {', '.join(BEHAVIOURS)}"
    raise FormError(f"there is no behaviour `{name}`{hint}")


def applicable(
    state: FormState, goal: Goal, *, weights: Mapping[str, float] | None = None
) -> dict[str, float]:
    """The behaviours that may be applied, with their weights."""
    given = weights or {}
    found = {
        each.name: given.get(each.name, each.weight)
        for each in BEHAVIOURS.values()
        if each.applies(state, goal)
    }
    return {name: weight for name, weight in found.items() if weight > 0}
