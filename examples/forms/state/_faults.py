"""What several steps are checked for."""

from __future__ import annotations

from examples.forms.state._state import FormState, Stage, StepFault
from playhead.tape import Body


def not_ended(state: FormState) -> None:
    """Refuse a step after the end.

    Raises:
        StepFault: The conversation has ended.
    """
    if state.ended is not None:
        raise StepFault("ended", "the conversation has ended: there is nothing left to do")


def in_order(state: FormState, step: Body, stage: Stage, *, function: str) -> None:
    """Refuse a step that comes at another stage of a turn, or is about another function.

    Raises:
        StepFault: It does.
    """
    not_ended(state)
    same_function(state, function)
    if state.stage != stage:
        following = "what was " + stage if stage != "heard" else "what the person says"
        raise StepFault("out_of_order", f"`{name_of(step)}` follows {following}, once in a turn")


def same_function(state: FormState, function: str) -> None:
    """Refuse a step about another function than the one that was chosen.

    Raises:
        StepFault: It is, or none is chosen.
    """
    if state.known_form().name != function:
        raise StepFault(
            "wrong_function", f"the function is `{state.known_form().name}`, not `{function}`"
        )


def name_of(step: Body) -> str:
    """A step as models name it."""
    return step.kind.removeprefix("forms.")
