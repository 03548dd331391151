"""The state of a form that is being filled, and the steps that change it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from examples.forms.form import Form, Slot
from examples.forms.steps import StepError, StepErrorCode, as_written
from playhead.tape import Body, Json

Stage: TypeAlias = Literal["heard", "gathered", "verified", "updated", "planned", "said"]
Change: TypeAlias = Callable[["FormState", Any], "FormState"]
_CHANGES: dict[type[Body], Change] = {}


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
        change = _CHANGES.get(type(step))
        return self if change is None else change(self, step)

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


def changed_by(*kinds: type[Body]) -> Callable[[Change], Change]:
    """A function that says what steps of these kinds change, or raises `StepFault`."""

    def known(change: Change) -> Change:
        _CHANGES.update(dict.fromkeys(kinds, change))
        return change

    return known


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
