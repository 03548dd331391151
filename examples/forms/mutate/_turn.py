"""A turn to plant a fault in, and what plants have in common."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from examples.forms.form import Form
from examples.forms.steps import (
    FunctionSchema,
    GatherValues,
    UpdateParameters,
    Verified,
    VerifyValues,
)
from playhead.tape import Body, Json, text_parts
from playhead.tape.kinds import AssistantMessage

B = TypeVar("B", bound=Body)
Bodies: TypeAlias = list[Body]
Plant: TypeAlias = Callable[["TurnSteps", random.Random], Bodies | None]


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault.

    Args:
        name: Its name.
        letter: What it breaks, as docs/greadth.md defines the letters.
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


def sentences(text: str) -> list[str]:
    """The sentences of a text."""
    return re.split(r"(?<=[.!?])\s+", text)


def without(text: str, words: Sequence[str]) -> str:
    """The text without the sentences that hold one of these words and do not ask."""
    kept = [
        each
        for each in sentences(text)
        if each.endswith("?") or not any(word.lower() in each.lower() for word in words)
    ]
    return " ".join(kept)


def read_values(
    turn: TurnSteps,
) -> tuple[GatherValues | None, VerifyValues | None, UpdateParameters | None, Form | None]:
    """The steps of a turn that are about values, and the form."""
    return (
        turn.first(GatherValues), turn.first(VerifyValues), turn.first(UpdateParameters), turn.form
    )  # fmt: skip


def valid(value: Json) -> Verified:
    """A value that was found to be valid."""
    return Verified(value=value, status="valid")


def copy(body: B, **members: Any) -> B:  # noqa: ANN401  (the members of the step)
    """A step with other members."""
    return body.model_copy(update=members)


def then(changed: Bodies, said: Bodies | None) -> Bodies:
    """The steps with their new message, if there is one."""
    return changed if said is None else said
