"""What a play would write, found out without writing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from playhead.experience.checks import SeenCall
from playhead.experience.play._limits import Limits
from playhead.experience.play._past import Past
from playhead.experience.routine import Finish, PlannedCall, Refuse, decide
from playhead.tape import Json

if TYPE_CHECKING:
    from playhead.experience.play._node import PlayNode

_SHOWN = ("tool", "effect", "arguments", "state")


def outlook(node: PlayNode, past: Past) -> Json:
    """The writes of a play from where it is, its end, or why nobody can tell.

    Each write is taken for done, with nothing given back: what follows from its result cannot be
    known before.
    """
    limits = Limits.of(past.note.limits if past.note.limits is not None else {})
    writes: list[Json] = []
    found: dict[str, Json] = {"writes": writes, "answer": None, "noop": False, "refused": None}
    while True:
        decision = decide(node.experience, past.inputs, past.done)
        match decision:
            case Refuse() if writes:
                return {**found, "refused": f"after that: {decision.reason} ({decision.code})"}
            case Refuse():
                return {**found, "refused": f"{decision.reason} ({decision.code})"}
            case Finish():
                return {**found, "answer": decision.text, "noop": decision.noop}
        call = decision.calls[0]
        if call.effect == "read":
            return {**found, "refused": f"what follows depends on what `{call.tool}` then says"}
        if (why := _doubt(node, past, call, limits=limits)) is not None:
            return {**found, "refused": f"`{call.tool}` would be stopped: {why}"}
        arguments = dict[str, Json](call.arguments)
        done = SeenCall(call.tool, call.effect, arguments, state=call.state)
        writes.append({name: value for name, value in done.as_json().items() if name in _SHOWN})
        past = replace(past, calls=(*past.calls, done))


def _doubt(node: PlayNode, past: Past, call: PlannedCall, *, limits: Limits) -> str | None:
    """Why a write would not be made."""
    if (why := limits.refusal(call, past.calls, past.note.tools)) is not None:
        return why
    verdict = node.engine.judge(node.moment(past, call))
    return next((f"{each.check.id}: {each.why}" for each in verdict.failed), None)
