"""Arguments that a person changed before the call was carried out."""

from __future__ import annotations

from playhead.tape import Step, Tape
from playhead.tape.kinds import Decision, ToolCall


def edited(tape: Tape, step: Step, call: ToolCall) -> ToolCall:
    """The call with the arguments of the last edit that the tape holds."""
    for later in tape.range(step.seq + 1, len(tape)):
        if later.kind == Decision.kind and step.id in later.re:
            body = later.body
            if isinstance(body, Decision) and body.decision == "edit":
                call = call.model_copy(update={"arguments": body.arguments})
        elif later.role == "observation" and step.id in later.re:
            break
    return call
