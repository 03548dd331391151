"""The environment of a form filler: a company's functions."""

from __future__ import annotations

import hashlib
import json
from typing import ClassVar

from examples.forms.form import Company
from examples.forms.steps import (
    CallFunction,
    Exit,
    FunctionCandidates,
    FunctionResult,
    FunctionSchema,
    Goodbye,
    InspectFunction,
    ResolveFunction,
    StepError,
    as_written,
)
from playhead.environment import Environment, StateContract, ToolContext
from playhead.tape import Action, Json, Observation
from playhead.tape.kinds import Effect

_EFFECTS: dict[str, Effect] = {
    ResolveFunction.kind: "read",
    InspectFunction.kind: "read",
    CallFunction.kind: "idempotent",
    Exit.kind: "read",
}


class FormEnvironment(Environment):
    """Tells a company's functions, and takes requests.

    A request is accepted under a number that follows from what it asks for: one that is sent twice
    after a crash is one request, and a dialogue is the same whenever it is made.
    """

    state_contract: ClassVar[StateContract] = "snapshot"

    def __init__(self, company: Company) -> None:
        self.company = company

    async def answer(self, action: Action, context: ToolContext) -> Observation | None:
        """See `Environment.answer`."""
        match action:
            case InspectFunction() | CallFunction() if action.function not in self.company.forms:
                known = ", ".join(self.company.forms)
                return StepError(
                    code="unknown_function",
                    message=f"there is no function `{action.function}`: there are {known}",
                    step=as_written(action),
                )
            case ResolveFunction():
                return FunctionCandidates(candidates=tuple(self.company.candidates))
            case InspectFunction():
                return FunctionSchema(form=self.company.forms[action.function].told())
            case CallFunction():
                result: Json = {"request_id": _number(action), "status": "accepted"}
                return FunctionResult(function=action.function, result=result)
            case Exit():
                return Goodbye()
        return None

    def effect_of(self, name: str) -> Effect | None:
        """See `Environment.effect_of`."""
        return _EFFECTS.get(name)

    async def snapshot(self) -> Json:
        """Nothing is kept here."""
        return {}

    async def restore(self, state: Json) -> None:
        """Nothing is kept here."""

    def describe(self) -> Json:
        """See `Environment.describe`."""
        return {"name": "FormEnvironment", "company": self.company.name, "state": "snapshot"}


def _number(request: CallFunction) -> str:
    asked = json.dumps([request.function, request.arguments], sort_keys=True)
    return f"R-{hashlib.sha256(asked.encode()).hexdigest()[:8].upper()}"
